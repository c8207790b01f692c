"""The persistent shell: one bash whose working directory, variables and functions live on from command to command."""

import asyncio
import fcntl
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from capture import Capture
from children import Children
from environment import Environment, script_between
from locations import WORK_DIR
from process_tree import kill_descendants

_SHELL_FD = 200
_KILL_WAIT_S = 5.0
_LOOK_OUT_S = 0.0003
_UPDATE_TIMEOUT_S = 5.0

# For each command the shell is sent the number of the runner's descriptor for its output; the command's text is in a
# memory file. It opens both by way of /proc, so nothing is forked, no end mark passes through the output, and no
# command can read the next one. While a command runs, the socket for orders and for the exit status is closed.
_LOOP = """
{{ echo 500 >/proc/self/oom_score_adj; }} 2>/dev/null
while IFS= builtin read -r -u {socket} __deckhand_fd; do
  IFS= builtin read -r -d '' __deckhand_command <"/proc/{runner}/fd/{text}"
  builtin eval "$__deckhand_command" >"/proc/{runner}/fd/$__deckhand_fd" 2>&1 {socket}>&-
  builtin printf '%s\n' "$?" >&{socket}
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

    A shell that ended (`exit`, `exec`, killed, a timeout) is replaced by a new one, in `/workspace`, at the next
    command.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, children: Children, environment: Environment) -> None:
        self._loop = loop
        self._children = children
        self._environment = environment
        self._turn = asyncio.Lock()
        self._process: _ShellProcess | None = None

    def start(self) -> None:
        """Has a shell ready before the first command asks for it."""
        if self._process is None:
            self._process = self._new_process()

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
            process = await self._up_to_date_process()
            capture = Capture(self._loop)
            done = process.run(command, capture.write_fd)
            process.settle_quickly()
            try:
                if not done.done():
                    capture.watch()
                    await _within(self._loop, done, timeout_s)
            except TimeoutError:
                await self._discard()
                return Finished(capture.end(), 124, timed_out=True)
            except asyncio.CancelledError:
                await self._discard()
                capture.end()
                raise
            return Finished(capture.end(), done.result(), timed_out=False)

    def _new_process(self) -> "_ShellProcess":
        return _ShellProcess(self._loop, self._children, self._environment)

    async def _up_to_date_process(self) -> "_ShellProcess":
        """A shell that has the variables as they are now."""
        process, added = self._process, self._environment.added
        if process is not None and not process.ended and process.added is not added:
            done = process.run(script_between(process.added, added), _nowhere())
            process.added = added
            try:
                await _within(self._loop, done, _UPDATE_TIMEOUT_S)
            except TimeoutError:  # the agent's own traps and functions stand in the way
                await self._discard()
        if self._process is None or self._process.ended:
            self._process = self._new_process()
        return self._process

    async def _discard(self) -> None:
        process, self._process = self._process, None
        # Only one shell exists at a time: what is not one of the runner's own helpers came from it or one before it.
        kill_descendants(os.getpid(), spare=self._children.helper_pids())
        if process is not None:
            await process.wait_ended(_KILL_WAIT_S)


class _ShellProcess:
    def __init__(self, loop: asyncio.AbstractEventLoop, children: Children, environment: Environment) -> None:
        self._loop = loop
        self.ended = False
        self.added = environment.added
        self._done: asyncio.Future[int] | None = None
        self._gone: asyncio.Future[None] = loop.create_future()
        self._status = bytearray()
        self._text_fd = os.memfd_create("command")  # the same for every command: they come one at a time
        self._socket, shells_end = socket.socketpair()
        self._socket.setblocking(False)
        # A number out of the way of those that people write in scripts.
        shell_fd = fcntl.fcntl(shells_end, fcntl.F_DUPFD_CLOEXEC, _SHELL_FD)
        shells_end.close()
        script = _LOOP.format(socket=shell_fd, text=self._text_fd, runner=os.getpid())
        children.spawn(
            # If the runner dies its shell must not go on to the next line of a script that nobody watches any more.
            ["setpriv", "--pdeathsig", "KILL", "bash", "--noprofile", "--norc", "-c", script, "bash"],
            self._exited,
            cwd=WORK_DIR,
            env=environment.all(),
            pass_fds=(shell_fd,),
        )
        os.close(shell_fd)
        loop.add_reader(self._socket, self._read_status)

    def run(self, command: str, output_fd: int) -> asyncio.Future[int]:
        done: asyncio.Future[int] = self._loop.create_future()
        self._done = done
        os.pwrite(self._text_fd, command.encode("utf-8", "replace") + b"\0", 0)
        with suppress(OSError):  # the shell has just ended: its exit settles the command
            self._socket.send(b"%d\n" % output_fd)
        return done

    def settle_quickly(self) -> None:
        """
        Looks out for the exit status for a moment. Most short commands end in less time than it takes to go to sleep
        and be woken, and then to come round the event loop.
        """
        until = time.perf_counter() + _LOOK_OUT_S
        while self._done is not None and not self._done.done() and time.perf_counter() < until:
            self._read_status()

    async def wait_ended(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._gone), timeout_s)

    def _read_status(self) -> None:
        try:
            chunk = self._socket.recv(64)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._loop.remove_reader(self._socket)  # only the exit can follow
            return
        self._status += chunk
        if self._status.endswith(b"\n"):
            line = self._status.split(b"\n")[-2]
            self._status.clear()
            self._settle(int(line) if line.isdigit() else 1)

    def _exited(self, code: int) -> None:
        self._read_status()
        self.ended = True
        self._loop.remove_reader(self._socket)
        self._socket.close()
        os.close(self._text_fd)
        self._settle(code)
        self._gone.set_result(None)

    def _settle(self, code: int) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(code)


@cache
def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


async def _within(loop: asyncio.AbstractEventLoop, done: asyncio.Future[int], timeout_s: float) -> None:
    """Like `asyncio.wait_for`, at a third of its cost: this stands in the path of every command."""
    timer = loop.call_later(timeout_s, _fail_if_pending, done)
    try:
        await done
    finally:
        timer.cancel()


def _fail_if_pending(done: asyncio.Future[int]) -> None:
    if not done.done():
        done.set_exception(TimeoutError())
