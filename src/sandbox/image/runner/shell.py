"""The persistent shell: one bash whose working directory, variables and functions live on from command to command."""

import asyncio
import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass

from children import Children
from process_tree import kill_descendants
from text import OutputTail

WORK_DIR = "/workspace"

_FIRST_FD = 200  # out of the way of the numbers that people write in scripts
_READ_BYTES = 1 << 18
_KILL_WAIT_S = 5.0

# The shell learns of a command by a line with two of the runner's descriptors: the command's text, and the pipe for its
# output. It opens both by way of /proc, so nothing is forked and no end mark passes through the output. While a command
# runs, the descriptors by which the shell reads orders and reports the exit status are closed.
_LOOP = """
{{ echo 500 >/proc/self/oom_score_adj; }} 2>/dev/null
while IFS= builtin read -r -u {orders} __deckhand_fds; do
  IFS= builtin read -r -d '' __deckhand_command <"/proc/{runner}/fd/${{__deckhand_fds% *}}"
  builtin eval "$__deckhand_command" </dev/null >"/proc/{runner}/fd/${{__deckhand_fds#* }}" 2>&1 {orders}<&- {status}>&-
  builtin printf '%s\\n' "$?" >&{status}
done
"""


@dataclass(frozen=True)
class Finished:
    output: str
    exit_code: int
    timed_out: bool


class Shell:
    """
    Runs one command at a time; others wait their turn, in order, and their time starts when their turn comes.

    A shell that ended (`exit`, `exec`, killed, a timeout) is replaced by a new one, in `/workspace`, at the next command.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, children: Children) -> None:
        self._loop = loop
        self._children = children
        self._turn = asyncio.Lock()
        self._process: _ShellProcess | None = None

    def start(self) -> None:
        """Has a shell ready before the first command asks for it."""
        if self._process is None:
            self._process = _ShellProcess(self._loop, self._children)

    async def restart(self) -> None:
        """Ends the shell with everything that was started from it, background processes included."""
        async with self._turn:
            await self._discard()
            self.start()

    async def run(self, command: str, timeout_s: float) -> Finished:
        """
        Runs `command`. After `timeout_s`, and when the caller is cancelled, the shell and everything that was started
        from it are killed. The output is then what was printed up to that point.
        """
        async with self._turn:
            if self._process is None or self._process.ended:
                self._process = _ShellProcess(self._loop, self._children)
            capture = _Capture(self._loop)
            try:
                done = self._process.run(command, capture.write_fd)
                try:
                    exit_code = await _within(self._loop, done, timeout_s)
                except TimeoutError:
                    await self._discard()
                    return Finished(capture.take(), 124, timed_out=True)
                except asyncio.CancelledError:
                    await self._discard()
                    raise
                return Finished(capture.take(), exit_code, timed_out=False)
            finally:
                capture.release()

    async def _discard(self) -> None:
        process, self._process = self._process, None
        # Only one shell exists at a time, so what is not one of the runner's own helpers came from it or from one before.
        kill_descendants(os.getpid(), spare=self._children.helper_pids())
        if process is not None:
            await process.wait_ended(_KILL_WAIT_S)


class _ShellProcess:
    def __init__(self, loop: asyncio.AbstractEventLoop, children: Children) -> None:
        self._loop = loop
        self.ended = False
        self._done: asyncio.Future[int] | None = None
        self._gone: asyncio.Future[None] = loop.create_future()
        self._status = bytearray()
        orders_read, self._orders = _pipe()
        self._statuses, status_write = _pipe()
        os.set_blocking(self._statuses, False)
        script = _LOOP.format(orders=orders_read, status=status_write, runner=os.getpid())
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
        children.spawn(
            # If the runner dies its shell must not go on to the next line of a script that nobody watches any more.
            ["setpriv", "--pdeathsig", "KILL", "bash", "--noprofile", "--norc", "-c", script, "bash"],
            self._exited,
            cwd=WORK_DIR,
            env=environment,
            pass_fds=(orders_read, status_write),
        )
        os.close(orders_read)
        os.close(status_write)
        loop.add_reader(self._statuses, self._read_status)

    def run(self, command: str, output_fd: int) -> asyncio.Future[int]:
        done: asyncio.Future[int] = self._loop.create_future()
        self._done = done
        text_fd = os.memfd_create("command")
        with open(text_fd, "wb", buffering=0, closefd=False) as file:
            file.write(command.encode("utf-8", "replace") + b"\0")
        done.add_done_callback(lambda _: os.close(text_fd))
        with suppress(BrokenPipeError):  # the shell has just ended: its exit settles the command
            os.write(self._orders, b"%d %d\n" % (text_fd, output_fd))
        return done

    async def wait_ended(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._gone), timeout_s)

    def _read_status(self) -> None:
        with suppress(BlockingIOError):
            chunk = os.read(self._statuses, 64)
            if not chunk:
                self._loop.remove_reader(self._statuses)  # only the exit can follow
                return
            self._status += chunk
            if self._status.endswith(b"\n"):
                line = self._status.split(b"\n")[-2]
                self._status.clear()
                self._settle(int(line) if line.isdigit() else 1)

    def _exited(self, code: int) -> None:
        self._read_status()
        self.ended = True
        self._loop.remove_reader(self._statuses)
        os.close(self._statuses)
        os.close(self._orders)
        self._settle(code)
        self._gone.set_result(None)

    def _settle(self, code: int) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(code)


class _Capture:
    """The output of one command. What background processes print after its end is read and thrown away."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tail: OutputTail | None = OutputTail()
        self._read_fd, self.write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read_fd, False)
        loop.add_reader(self._read_fd, self._receive)

    def take(self) -> str:
        """All that was printed so far."""
        tail = self._tail
        if tail is None:
            return ""
        while self._receive():
            pass
        return tail.text()

    def release(self) -> None:
        """Lets go of the output; the pipe stays open for as long as some process holds its other end."""
        self._tail = None
        os.close(self.write_fd)
        while self._receive():
            pass

    def _receive(self) -> bool:
        try:
            chunk = os.read(self._read_fd, _READ_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._loop.remove_reader(self._read_fd)
            os.close(self._read_fd)
            return False
        if self._tail is not None:
            self._tail.append(chunk)
        return True


def _pipe() -> tuple[int, int]:
    """A pipe whose descriptors have high numbers."""
    low = os.pipe2(os.O_CLOEXEC)
    high = tuple(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FD) for fd in low)
    for fd in low:
        os.close(fd)
    return high[0], high[1]


async def _within(loop: asyncio.AbstractEventLoop, done: asyncio.Future[int], timeout_s: float) -> int:
    """Like `asyncio.wait_for`, at a third of its cost: this stands in the path of every command."""
    timer = loop.call_later(timeout_s, _fail_if_pending, done)
    try:
        return await done
    finally:
        timer.cancel()


def _fail_if_pending(done: asyncio.Future[int]) -> None:
    if not done.done():
        done.set_exception(TimeoutError())
