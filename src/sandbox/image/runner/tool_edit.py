"""The write and edit tools."""

from errors import ToolError
from files import read_file, replace_file

EDIT_BYTES_MAX = 20 * 1024 * 1024


def write(path: str, content: bytes) -> str:
    replace_file(path, content)
    return f"wrote {len(content)} bytes to {path}"


def edit(path: str, old: str, new: str, replace_all: bool) -> str:
    """Replaces `old`, which must occur exactly once unless `replace_all`. Nothing is written otherwise."""
    if not old:
        raise ToolError("old_string: must not be empty; use write to make a new file")
    if old == new:
        raise ToolError("new_string: is the same as old_string")
    raw = read_file(path, EDIT_BYTES_MAX, "change it with bash")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolError(f"{path}: is not UTF-8 text; change it with bash") from error
    count = text.count(old)
    if count == 0:
        hint = "; the file's lines end in CRLF" if "\r\n" in text and "\n" in old else ""
        raise ToolError(f"old_string: not found in {path}{hint}")
    if count > 1 and not replace_all:
        raise ToolError(
            f"old_string: found {count} times in {path}; give more of the text around it, or set replace_all"
        )
    replace_file(path, text.replace(old, new).encode("utf-8"))
    return f"edited {path} ({count} replacement(s))"
