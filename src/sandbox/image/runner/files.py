"""Opening, reading and replacing files without ever waiting for one that is not a plain file."""

import os
import stat
import tempfile
from contextlib import suppress

from errors import ToolError
from locations import RUNNER_DIR, WORK_DIR

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def resolve(path: str) -> str:
    """The absolute path that `path` names from the work folder, symlinks followed. Refuses the runner's own folder."""
    if not path or "\0" in path:
        raise ToolError("file_path: must be a path" if not path else "file_path: must not contain NUL")
    real = os.path.realpath(os.path.join(WORK_DIR, path))
    if real == RUNNER_DIR or real.startswith(RUNNER_DIR + "/"):
        raise ToolError(f"{path}: belongs to the tool runner and cannot be used")
    return real


def read_file(path: str, size_max: int, advice: str) -> bytes:
    """The whole of a regular file of at most `size_max` bytes; `advice` says what to do with a larger one."""
    with open(open_regular(path), "rb") as file:
        content = file.read(size_max + 1)
    if len(content) > size_max:
        raise ToolError(f"{path}: is larger than {size_max} bytes; {advice}")
    return content


def open_regular(path: str) -> int:
    """A descriptor for reading `path`, which must be a regular file on a disk."""
    real = resolve(path)
    try:
        fd = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise ToolError(_explain(path, error)) from error
    status = os.fstat(fd)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if status.st_dev in _kernel_devices():
        kind = "made up by the kernel"
    if kind is None:
        return fd
    os.close(fd)
    advice = "; list it with glob, or with ls in bash" if kind == "a folder" else ""
    raise ToolError(f"{path}: is {kind}, not a regular file{advice}")


def replace_file(path: str, content: bytes) -> None:
    """Puts `content` in place of `path` in one step, creating folders. Keeps the mode of a file that was there."""
    real = resolve(path)
    mode = 0o644
    try:
        status = os.stat(real)
        mode = stat.S_IMODE(status.st_mode)
        kind = _KINDS.get(stat.S_IFMT(status.st_mode))
        if kind is not None:
            raise ToolError(f"{path}: is {kind}, not a regular file")
        if not os.access(real, os.W_OK):
            raise ToolError(f"{path}: permission denied")
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ToolError(_explain(path, error)) from error
    temporary = None
    try:
        os.makedirs(os.path.dirname(real), exist_ok=True)
        fd, temporary = tempfile.mkstemp(prefix=".write-", dir=os.path.dirname(real))
        with open(fd, "wb") as file:
            file.write(content)
            os.fchmod(fd, mode)
        os.replace(temporary, real)
    except OSError as error:
        if temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        raise ToolError(_explain(path, error)) from error


def _explain(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path}: no such file"
    return f"{path}: {(error.strerror or str(error)).lower()}"


def _kernel_devices() -> set[int]:
    return {os.stat(mount).st_dev for mount in ("/proc", "/sys") if os.path.exists(mount)}
