"""The deliverables: finding and reading them in a folder where the agent may have put anything."""

import os
import stat
import unicodedata
from collections.abc import Iterator
from typing import Any

from errors import ToolError
from locations import OUTPUTS_DIR

FILES_MAX = 500
FILE_BYTES_MAX = 500 * 1024 * 1024

_ENTRIES_MAX = 20_000  # looked at; a folder with a million entries is not worth the wait
_DEPTH_MAX = 16
_SPARSE_CHECK_FROM_BYTES = 1024 * 1024
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def list_outputs() -> list[dict[str, Any]]:
    """Path, size and modification time of each deliverable, in path order: regular files, plainly named, not hidden."""
    found: list[dict[str, Any]] = []
    budget = [_ENTRIES_MAX]
    root = os.open(OUTPUTS_DIR, _FOLDER_FLAGS)
    try:
        for path, status in _walk(root, "", _DEPTH_MAX, budget):
            if _is_deliverable(status):
                found.append({"path": path, "size": status.st_size, "mtime_ns": str(status.st_mtime_ns)})
    finally:
        os.close(root)
    return sorted(found, key=lambda file: file["path"])[:FILES_MAX]


def open_output(path: str) -> int:
    """A descriptor of the deliverable at `path`; `ToolError` when there is none."""
    fd = _open_beneath(path)
    if _is_deliverable(os.fstat(fd)):
        return fd
    os.close(fd)
    raise ToolError(f"{path}: is not a deliverable")


def read_listed(path: str, size: int, mtime_ns: str, offset: int, length: int) -> tuple[bytes, str]:
    """
    A part of the file as it was listed, and which state of which file that is: parts whose states are equal belong
    together. `ToolError` when it is another file by now, or is written to meanwhile.
    """
    fd = open_output(path)
    try:
        before = os.fstat(fd)
        part = _read_at(fd, offset, length)
        after = os.fstat(fd)
    finally:
        os.close(fd)
    if before.st_size != size or str(before.st_mtime_ns) != mtime_ns or _state(before) != _state(after):
        raise ToolError(f"{path}: has changed since it was listed")
    return part, _state(before)


def _state(status: os.stat_result) -> str:
    """The time of change tells of what is written also where the time of modification was put back."""
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def _read_at(fd: int, offset: int, length: int) -> bytes:
    """Less than `length` only where the file ends: one `pread` may return less for other reasons."""
    parts = []
    while length > 0 and (part := os.pread(fd, length, offset)):
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)


def _open_beneath(path: str) -> int:
    """Opens one folder after the other without following a link, so that nothing outside can be reached."""
    *folders, name = path.split("/")
    if not all(_is_plain(part) for part in (*folders, name)):
        raise ToolError(f"{path}: is not the name of a deliverable")
    folder = os.open(OUTPUTS_DIR, _FOLDER_FLAGS)
    try:
        for part in folders:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise ToolError(f"{path}: cannot be opened as a deliverable: {error.strerror}") from error
    finally:
        os.close(folder)


def _walk(folder: int, prefix: str, depth: int, budget: list[int]) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if budget[0] == 0:
                return
            budget[0] -= 1
            if not _is_plain(entry.name):
                continue
            try:
                status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode) and depth > 0:
                    inner = os.open(entry.name, _FOLDER_FLAGS, dir_fd=folder)
                    try:
                        yield from _walk(inner, f"{prefix}{entry.name}/", depth - 1, budget)
                    finally:
                        os.close(inner)
                else:
                    yield prefix + entry.name, status
            except OSError:
                continue  # removed, replaced or closed to us since the folder was read


def _is_deliverable(status: os.stat_result) -> bool:
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > FILE_BYTES_MAX:
        return False
    return status.st_size <= _SPARSE_CHECK_FROM_BYTES or status.st_blocks * 512 >= status.st_size // 2


def _is_plain(name: str) -> bool:
    """Hidden names are left out with the odd ones: they are lock files and caches, not something to deliver."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False  # not UTF-8 on disk
    return name != "" and not name.startswith(".") and not any(unicodedata.category(char) == "Cc" for char in name)
