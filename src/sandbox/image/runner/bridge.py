"""
A program: the way in. Run by one long-lived exec, it hands the exec's stdio to the runner and ends when the runner lets
go of it. Where no runner is there, it starts one first.
"""

import errno
import fcntl
import os
import socket
import sys

from locations import LOCK_PATH, LOG_PATH, SOCKET_PATH

_READY_FD = 3


def main() -> None:
    runner = _connect()
    if runner is None:
        lock = os.open(LOCK_PATH, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        runner = _connect()  # another bridge may have started it meanwhile
        if runner is None:
            _start_runner()
            runner = _connect()
        os.close(lock)
    if runner is None:
        sys.exit("the runner could not be reached after it had started")
    _hand_over(runner)
    # From here on the pipes are the runner's alone: were they open here too, closing them there would go unnoticed.
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    runner.recv(1)


def _hand_over(runner: socket.socket) -> None:
    """Returns when the runner has our stdin and stdout, or is sure to get them."""
    try:
        socket.send_fds(runner, [b"\0"], [0, 1])
    except OSError as error:
        if error.errno != errno.ETOOMANYREFS:
            raise
        # The kernel counts descriptors on their way by user, over all sandboxes, and another one has used them up. The
        # runner then opens ours for itself, and says when it has.
        runner.send(b"\0")
        runner.recv(1)


def _connect() -> socket.socket | None:
    runner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        runner.connect(SOCKET_PATH)
    except (FileNotFoundError, ConnectionRefusedError):
        runner.close()
        return None
    return runner


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
        sys.exit(f"the runner did not start; see {LOG_PATH}")
    os.close(ready_read)


def _become_runner(ready_fd: int) -> None:
    try:
        os.setsid()
        os.umask(0o022)
        os.chdir("/")
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(os.open(LOG_PATH, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), 1)
        os.dup2(1, 2)
        os.dup2(ready_fd, _READY_FD)
        os.closerange(_READY_FD + 1, 256)  # the lock above all, which the starting bridge must be able to release
        import daemon  # here, because it takes as long as all else that a bridge does

        daemon.serve(_tell_ready)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(1)


def _tell_ready() -> None:
    os.write(_READY_FD, b"\1")
    os.close(_READY_FD)


main()
