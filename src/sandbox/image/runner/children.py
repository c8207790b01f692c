"""Child processes of the runner. One place reaps, because orphans of the agent's commands become our children too."""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from errors import ToolError
from process_tree import kill_tree

_PR_SET_CHILD_SUBREAPER = 36


class Children:
    """Spawns and reaps. Create one per process, on the event loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._on_exit: dict[int, Callable[[int], None]] = {}
        self._helpers: set[int] = set()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def spawn(
        self,
        argv: Sequence[str],
        on_exit: Callable[[int], None],
        *,
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
        pass_fds: Sequence[int] = (),
    ) -> int:
        """Starts a process in a session of its own. `on_exit` gets its exit status, 128 + n after signal n."""
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        process.returncode = 0  # reaped here and nowhere else: keeps Popen's destructor from waiting for the pid
        self._on_exit[process.pid] = on_exit
        return process.pid

    def spawn_helper(
        self, argv: Sequence[str], on_exit: Callable[[int], None], *, pass_fds: Sequence[int] = ()
    ) -> int:
        """Starts a program that the runner itself uses for as long as it runs."""

        def exited(status: int) -> None:
            self._helpers.discard(pid)
            on_exit(status)

        pid = self.spawn(argv, exited, pass_fds=pass_fds)
        self._helpers.add(pid)
        return pid

    async def run(
        self,
        argv: Sequence[str],
        timeout_s: float,
        output_max: int,
        *,
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """
        Runs a helper program to its end: its exit status, and up to `output_max` bytes of what it printed, stderr
        included. It is killed with all its children when it prints more, takes longer, or the caller is cancelled.
        """
        loop = asyncio.get_running_loop()
        finished: asyncio.Future[int] = loop.create_future()
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(write_fd, True)
        output = bytearray()

        def receive() -> None:
            with suppress(BlockingIOError):
                chunk = os.read(read_fd, 1 << 18)
                output.extend(chunk)
                if len(output) > output_max and not finished.done():
                    finished.set_result(0)
                if not chunk:
                    loop.remove_reader(read_fd)

        def exited(status: int) -> None:
            if not finished.done():
                finished.set_result(status)

        pid = self.spawn(argv, exited, stdout=write_fd, stderr=subprocess.STDOUT, cwd=cwd, env=env)
        os.close(write_fd)
        self._helpers.add(pid)
        loop.add_reader(read_fd, receive)
        try:
            status = await asyncio.wait_for(finished, timeout_s)
            with suppress(BlockingIOError):
                while len(output) <= output_max and (chunk := os.read(read_fd, 1 << 18)):
                    output += chunk
            return status, bytes(output[:output_max])
        except TimeoutError:
            raise ToolError(f"{os.path.basename(argv[0])} took longer than {timeout_s:g} s and was stopped") from None
        finally:
            loop.remove_reader(read_fd)
            os.close(read_fd)
            if pid in self._on_exit:
                kill_tree(pid)
            self._helpers.discard(pid)

    def helper_pids(self) -> frozenset[int]:
        """Programs that the runner itself uses, which killing the agent's processes must spare."""
        return frozenset(self._helpers)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, wait_status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                code = os.waitstatus_to_exitcode(wait_status)
                on_exit = self._on_exit.pop(pid, None)
                if on_exit is not None:
                    on_exit(code if code >= 0 else 128 - code)
