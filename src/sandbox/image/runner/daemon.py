"""The runner: a daemon that outlives every connection to it."""

import asyncio
import json
import os
import selectors
import socket
import struct
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from calls import Calls
from children import Children
from connection import Connection, Header
from environment import Environment
from errors import ToolError
from files import replace_file
from journal import Journal
from locations import JOURNAL_PATH, SOCKET_PATH
from outputs import list_outputs, read_listed
from preview import render_preview
from shell import Shell
from tools import Tools
from way_out import WayOut

_STDIO_FDS = 2
_PEER = struct.Struct("iII")  # process, user and group at the other end of a socket


def serve(on_ready: Callable[[], None]) -> None:
    """Runs until the process is killed. `on_ready` is called once connections are accepted."""
    # Not by epoll: the kernel counts what is watched so by user, over all sandboxes, and another one may use that up.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.PollSelector())) as runner:
        runner.run(_serve(on_ready))


async def _serve(on_ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    children = Children(loop)
    environment = Environment()
    shell = Shell(loop, children, environment)
    calls = Calls(Journal(JOURNAL_PATH), Tools(children, shell, environment))
    daemon = _Daemon(loop, children, environment, calls)
    WayOut(loop, children).open()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if os.path.lexists(SOCKET_PATH):
        os.unlink(SOCKET_PATH)
    listener.bind(SOCKET_PATH)
    listener.listen()
    listener.setblocking(False)
    loop.add_reader(listener, daemon.accept, listener)
    on_ready()
    shell.start()
    await loop.create_future()


class _Daemon:
    def __init__(
        self, loop: asyncio.AbstractEventLoop, children: Children, environment: Environment, calls: Calls
    ) -> None:
        self._loop = loop
        self._children = children
        self._environment = environment
        self._calls = calls
        self._rendering = asyncio.Lock()
        self._tasks: dict[Connection, dict[int, asyncio.Task[None]]] = {}
        self._handlers: dict[str, Callable[[Connection, Header, bytes], Awaitable[None]]] = {
            "cancel": self._cancel,
            "set_environment": self._set_environment,
            "write_text": self._write_text,
            "list_outputs": self._list_outputs,
            "read_output_part": self._read_output_part,
            "render_preview": self._render_preview,
        }

    def accept(self, listener: socket.socket) -> None:
        """Takes over the stdio of a new bridge, so that no byte passes through the bridge itself."""
        try:
            bridge, _ = listener.accept()
        except BlockingIOError:
            return
        bridge.settimeout(1.0)
        try:
            said, fds, _, _ = socket.recv_fds(bridge, 1, _STDIO_FDS)
            if said and not fds:
                fds = _open_stdio_of(bridge)
        except OSError:
            fds = []
        if len(fds) != _STDIO_FDS:
            bridge.close()
            return
        connection = Connection(self._loop, bridge, (fds[0], fds[1]), self._on_frame, self._on_close)
        self._tasks[connection] = {}
        connection.send(b'{"hello":1}')

    def _on_frame(self, connection: Connection, header: Header, body: bytes) -> None:
        request = header["id"]
        if header["type"] == "ping":
            connection.send(b'{"id":%d,"ok":true}' % request)
            return
        if header["type"] == "call":
            reply = b'{"id":%d,"result":%%s}' % request
            self._calls.ask(header["call_id"], header["op"], body, lambda result: connection.send(reply % result))
            return
        tasks = self._tasks[connection]
        if header["type"] == "abandon":
            if request in tasks:
                tasks[request].cancel()
            return
        task = asyncio.create_task(self._answer(connection, header, body))
        tasks[request] = task
        task.add_done_callback(lambda _: tasks.pop(request, None))

    def _on_close(self, connection: Connection) -> None:
        # Calls go on without anyone waiting for them. What only this connection wanted does not.
        for task in self._tasks.pop(connection).values():
            task.cancel()

    async def _answer(self, connection: Connection, header: Header, body: bytes) -> None:
        try:
            await self._handlers[header["type"]](connection, header, body)
        except (ToolError, OSError) as error:
            _reply(connection, header, error=str(error))
        except Exception as error:  # of whatever kind: without a reply the harness would wait for one
            traceback.print_exc()
            _reply(connection, header, error=f"the tool runner failed: {error!r}")

    async def _cancel(self, connection: Connection, header: Header, _body: bytes) -> None:
        await self._calls.cancel(header["call_id"])
        _reply(connection, header, ok=True)

    async def _set_environment(self, connection: Connection, header: Header, _body: bytes) -> None:
        self._environment.set(header["variables"])
        _reply(connection, header, ok=True)

    async def _write_text(self, connection: Connection, header: Header, body: bytes) -> None:
        await asyncio.to_thread(replace_file, header["path"], body)
        _reply(connection, header, ok=True)

    async def _list_outputs(self, connection: Connection, header: Header, _body: bytes) -> None:
        _reply(connection, header, files=await asyncio.to_thread(list_outputs))

    async def _read_output_part(self, connection: Connection, header: Header, _body: bytes) -> None:
        path, size, mtime_ns = header["path"], header["size"], header["mtime_ns"]
        part, state = await asyncio.to_thread(read_listed, path, size, mtime_ns, header["offset"], header["length"])
        connection.send(json.dumps({"id": header["id"], "ok": True, "state": state}).encode(), part)

    async def _render_preview(self, connection: Connection, header: Header, _body: bytes) -> None:
        async with self._rendering:
            picture = await render_preview(self._children, header["path"])
        encoded = json.dumps({"id": header["id"], "ok": picture is not None}).encode()
        connection.send(encoded, picture or b"")


def _open_stdio_of(bridge: socket.socket) -> list[int]:
    """For a bridge that the kernel did not let send its descriptors."""
    pid, _, _ = _PEER.unpack(bridge.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    flags = os.O_NONBLOCK | os.O_CLOEXEC
    fds = [os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | flags), os.open(f"/proc/{pid}/fd/1", os.O_WRONLY | flags)]
    bridge.send(b"\0")
    return fds


def _reply(connection: Connection, header: Header, **fields: Any) -> None:
    connection.send(json.dumps({"id": header["id"], **fields}).encode())
