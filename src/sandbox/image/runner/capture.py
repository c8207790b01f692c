"""What one command of the shell prints."""

import asyncio
import os

from text import OutputTail

_READ_BYTES = 1 << 20  # as much as a pipe can be made to hold without privileges


class Capture:
    """The output of one command. What background processes print after its end is read and thrown away."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tail: OutputTail | None = OutputTail()
        self._watched = False
        self._closed = False
        # The shell opens its end anew by way of /proc, so it does not get our O_NONBLOCK.
        self._read_fd, self.write_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def watch(self) -> None:
        """Has the output read as it comes, from now on."""
        self._loop.add_reader(self._read_fd, self._receive)
        self._watched = True

    def end(self) -> str:
        """All that was printed so far. The pipe stays open for as long as some process holds its other end."""
        os.close(self.write_fd)
        # One read takes all that a pipe holds, and so all that was printed before the command ended. Reading on until
        # nothing comes would never end beside a background process that prints without pause.
        self._receive()
        tail, self._tail = self._tail, None
        self._receive()
        if not self._closed and not self._watched:
            self.watch()
        return tail.text() if tail else ""

    def _receive(self) -> None:
        if self._closed:
            return
        try:
            chunk = os.read(self._read_fd, _READ_BYTES)
        except BlockingIOError:
            return
        if not chunk:
            self._close()
        elif self._tail is not None:
            self._tail.append(chunk)

    def _close(self) -> None:
        if self._watched:
            self._loop.remove_reader(self._read_fd)
        os.close(self._read_fd)
        self._closed = True
