"""
A program: the way in. Run by one long-lived exec, it hands the exec's stdio to the runner and ends when the runner lets
go of it. Where no runner is there, it starts one first.
"""

import fcntl
import os
import socket
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import daemon
from files import RUNNER_DIR

_LOCK_PATH = RUNNER_DIR + "/start.lock"
_LOG_PATH = RUNNER_DIR + "/runner.log"
_READY_FD = 3


def main() -> None:
    runner = _connect()
    if runner is None:
        with _start_lock():
            runner = _connect()  # another bridge may have started it meanwhile
            if runner is None:
                _start_runner()
                runner = _connect()
    if runner is None:
        sys.exit("the runner could not be reached after it had started")
    socket.send_fds(runner, [b"\0"], [0, 1])
    # From here on the pipes are the runner's alone: were they open here too, closing them there would go unnoticed.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    runner.recv(1)


def _connect() -> socket.socket | None:
    runner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        runner.connect(daemon.SOCKET_PATH)
    except (FileNotFoundError, ConnectionRefusedError):
        runner.close()
        return None
    return runner


@contextmanager
def _start_lock() -> Iterator[None]:
    fd = os.open(_LOCK_PATH, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _start_runner() -> None:
    """Forks the daemon, twice so that it is nobody's child, and waits until it accepts connections."""
    ready_read, ready_write = os.pipe()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            _become_runner(ready_write)
        os._exit(0)
    os.close(ready_write)
    os.waitpid(child, 0)
    if os.read(ready_read, 1) == b"":
        sys.exit(f"the runner did not start; see {_LOG_PATH}")
    os.close(ready_read)


def _become_runner(ready_fd: int) -> None:
    try:
        os.setsid()
        os.umask(0o022)
        os.chdir("/")
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(os.open(_LOG_PATH, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), 1)
        os.dup2(1, 2)
        os.dup2(ready_fd, _READY_FD)
        os.closerange(_READY_FD + 1, 256)  # the lock above all, which the starting bridge must be able to release
        daemon.serve(_tell_ready)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _tell_ready() -> None:
    os.write(_READY_FD, b"\1")
    os.close(_READY_FD)


main()
