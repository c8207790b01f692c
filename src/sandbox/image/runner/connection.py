"""
Frames over the stdio of a bridge.

A frame, both ways: length of the header and of the body (uint32, big endian), the header (JSON), the body (raw bytes).
"""

import asyncio
import fcntl
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

HEADER_BYTES_MAX = 64 * 1024 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024

_LENGTHS = struct.Struct(">II")
_READ_BYTES = 1 << 18
_PIPE_BYTES = 1 << 18
_DRAIN_ABOVE_BYTES = 1 << 20

Header = dict[str, Any]


class Connection:
    """One harness. It ends when the harness goes, the bridge is killed, or a frame makes no sense."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        bridge: socket.socket,
        stdio: tuple[int, int],
        on_frame: Callable[["Connection", Header, bytes], None],
        on_close: Callable[["Connection"], None],
    ) -> None:
        self._loop = loop
        self._bridge = bridge
        self._in, self._out = stdio
        self._on_frame = on_frame
        self._on_close = on_close
        self._received = bytearray()
        self._unsent: deque[memoryview] = deque()
        self._unsent_bytes = 0
        self._drained = asyncio.Event()
        self._drained.set()
        self.closed = False
        for fd in stdio:
            os.set_blocking(fd, False)
            with suppress(OSError):
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        bridge.setblocking(False)
        loop.add_reader(self._in, self._receive)
        loop.add_reader(bridge, self._bridge_ended)

    def send(self, header: bytes, body: bytes = b"") -> None:
        """Sends at once what the pipe takes and the rest later. Does nothing on a connection that has ended."""
        if self.closed:
            return
        frame = _LENGTHS.pack(len(header), len(body)) + header + body
        sent = 0
        if not self._unsent:
            sent = self._write(frame)
            if self.closed or sent == len(frame):
                return
            self._loop.add_writer(self._out, self._flush)
        self._unsent.append(memoryview(frame)[sent:])
        self._unsent_bytes += len(frame) - sent
        if self._unsent_bytes > _DRAIN_ABOVE_BYTES:
            self._drained.clear()

    async def drain(self) -> None:
        """Waits until little is left to be sent. Returns also when the connection has ended."""
        await self._drained.wait()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._in)
        self._loop.remove_reader(self._bridge)
        self._loop.remove_writer(self._out)
        os.close(self._in)
        os.close(self._out)
        self._bridge.close()
        self._drained.set()
        self._on_close(self)

    def _receive(self) -> None:
        try:
            chunk = os.read(self._in, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.close()
            return
        self._received += chunk
        while not self.closed and len(self._received) >= _LENGTHS.size:
            header_size, body_size = _LENGTHS.unpack_from(self._received)
            if header_size > HEADER_BYTES_MAX or body_size > BODY_BYTES_MAX:
                self.close()
                return
            body_start = _LENGTHS.size + header_size
            end = body_start + body_size
            if len(self._received) < end:
                return
            header = json.loads(self._received[_LENGTHS.size : body_start])
            body = bytes(self._received[body_start:end])
            del self._received[:end]
            self._on_frame(self, header, body)

    def _write(self, data: bytes | memoryview) -> int:
        try:
            return os.write(self._out, data)
        except BlockingIOError:
            return 0
        except OSError:
            self.close()
            return 0

    def _flush(self) -> None:
        while self._unsent:
            first = self._unsent[0]
            sent = self._write(first)
            if self.closed:
                return
            self._unsent_bytes -= sent
            if self._unsent_bytes <= _DRAIN_ABOVE_BYTES:
                self._drained.set()
            if sent < len(first):
                self._unsent[0] = first[sent:]
                return
            self._unsent.popleft()
        self._loop.remove_writer(self._out)

    def _bridge_ended(self) -> None:
        self.close()  # a bridge sends nothing after its descriptors: readable means ended
