"""The glob and grep tools."""

import os
import re
import threading
import time

from children import Children
from errors import ToolError
from locations import WORK_DIR
from text import clean_text

GLOB_RESULTS_MAX = 200
GREP_BYTES_MAX = 100 * 1024

_GLOB_TIMEOUT_S = 30.0
_GREP_TIMEOUT_S = 60.0
_SKIPPED_FOLDERS = {".git", "node_modules"}
_WILD = re.compile(r"[*?\[{]")


def glob(pattern: str, path: str | None, stop: threading.Event) -> str:
    """Paths of the files that match `pattern` below `path`, newest first. `**` crosses folders, `{a,b}` is a choice."""
    if not pattern:
        raise ToolError("pattern: must not be empty")
    root = _folder(path)
    wild = _WILD.search(pattern)
    fixed = pattern[: wild.start()].rpartition("/")[0] if wild else os.path.dirname(pattern)
    if pattern.startswith("/"):
        root, pattern = fixed or "/", pattern[len(fixed) + 1 :]
    matches = re.compile(_regex(pattern)).fullmatch
    deadline = time.monotonic() + _GLOB_TIMEOUT_S
    found: list[tuple[int, str]] = []
    for folder, folders, files in os.walk(root):
        if stop.is_set() or time.monotonic() > deadline:
            raise ToolError(f"glob stopped after {_GLOB_TIMEOUT_S:g} s; name a smaller folder in path")
        folders[:] = [name for name in folders if name not in _SKIPPED_FOLDERS]
        for name in files:
            full = os.path.join(folder, name)
            if matches(os.path.relpath(full, root)):
                found.append((_mtime(full), full))
    if not found:
        return "no matches"
    found.sort(key=lambda match: (-match[0], match[1]))
    lines = [full.encode("utf-8", "replace").decode() for _, full in found[:GLOB_RESULTS_MAX]]
    if len(found) > GLOB_RESULTS_MAX:
        lines.append(f"[{len(found) - GLOB_RESULTS_MAX} older matches left out]")
    return "\n".join(lines)


async def grep(children: Children, pattern: str, path: str | None) -> str:
    """What ripgrep finds for `pattern` in the file or folder `path`."""
    if not pattern:
        raise ToolError("pattern: must not be empty")
    if "\0" in pattern:
        raise ToolError("pattern: must not contain NUL")
    place = os.path.join(WORK_DIR, path or "")
    if not (os.path.isdir(place) or os.path.isfile(place)):
        raise ToolError(f"{path}: no such file or folder")
    argv = ["rg", "-n", "--no-heading", "--color=never", "--sort=path", "-e", pattern, "--", path or "."]
    # One byte more than is shown tells whether there was more; rg is stopped there.
    status, output = await children.run(argv, _GREP_TIMEOUT_S, GREP_BYTES_MAX + 1, cwd=WORK_DIR)
    if status == 1:
        return "no matches"
    if status == 2 and len(output) <= GREP_BYTES_MAX:
        raise ToolError(f"grep: {clean_text(output).strip()}")
    if len(output) > GREP_BYTES_MAX:
        whole_lines = output[:GREP_BYTES_MAX].rpartition(b"\n")[0] or output[:GREP_BYTES_MAX]
        return clean_text(whole_lines) + "\n[output truncated: narrow the pattern or the path]"
    return clean_text(output)


def _folder(path: str | None) -> str:
    root = os.path.normpath(os.path.join(WORK_DIR, path or ""))
    if not os.path.isdir(root):
        raise ToolError(f"{path}: no such folder")
    return root


def _mtime(path: str) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0  # removed in between: it sorts last


def _regex(pattern: str) -> str:
    out, position, depth = "", 0, 0
    while position < len(pattern):
        rest = pattern[position:]
        char = rest[0]
        step = 1
        if rest.startswith("**/"):
            out, step = out + "(?:[^/]+/)*", 3
        elif rest.startswith("**"):
            out, step = out + ".*", 2
        elif char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and (bracket := re.match(r"\[[!^]?\]?[^\]]*\]", rest)):
            body = bracket.group()[1:-1].replace("\\", "\\\\").replace("[", "\\[")
            out, step = out + "[" + ("^" + body[1:] if body[0] in "!^" else body) + "]", bracket.end()
        elif char == "{" and "}" in rest:
            out, depth = out + "(?:", depth + 1
        elif char == "}" and depth:
            out, depth = out + ")", depth - 1
        elif char == "," and depth:
            out += "|"
        elif char == "\\" and len(rest) > 1:
            out, step = out + re.escape(rest[1]), 2
        else:
            out += re.escape(char)
        position += step
    if depth:
        raise ToolError("pattern: a { is not closed")
    return "(?s:" + out + ")"
