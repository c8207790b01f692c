"""The bash tool."""

import re
from typing import Any

from errors import ToolError
from journal import Result
from shell import Shell

DEFAULT_TIMEOUT_MS = 120_000

_KILLED = 137
# The kernel's count of processes it killed for memory in this container: cgroup v2 first, then v1.
_MEMORY_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")

_oom_kills_seen = 0


async def bash(shell: Shell, op: dict[str, Any]) -> Result:
    command = op.get("command")
    if command is not None and "\0" in command:
        raise ToolError("command: must not contain NUL")
    if op.get("restart"):
        await shell.restart()
        if command is None:
            return _result("bash session restarted", is_error=False)
    if command is None:
        raise ToolError("command: is required unless restart is true")
    timeout_ms = op.get("timeout_ms", DEFAULT_TIMEOUT_MS)
    finished = await shell.run(command, timeout_ms / 1000)
    output = finished.output
    if finished.timed_out:
        return _result(_with_line(output, f"bash: bash command timed out after {timeout_ms}ms"), is_error=True)
    if finished.exit_code == _KILLED and _oom_killed():
        output = _with_line(output, "Killed: out of memory")
    if finished.exit_code != 0:
        return _result(output or f"exit {finished.exit_code}", is_error=True)
    return _result(output or "(no output)", is_error=False)


def _result(text: str, *, is_error: bool) -> Result:
    return {"content": [{"type": "text", "text": text}], "is_error": is_error}


def _with_line(output: str, line: str) -> str:
    return output + ("\n" if output and not output.endswith("\n") else "") + line


def _oom_killed() -> bool:
    """Whether the kernel has killed something for memory since the last time this was asked."""
    global _oom_kills_seen
    for path in _MEMORY_FILES:
        try:
            with open(path) as file:
                found = re.search(r"^oom_kill (\d+)$", file.read(), re.MULTILINE)
        except FileNotFoundError:
            continue
        if found is not None:
            before, _oom_kills_seen = _oom_kills_seen, int(found.group(1))
            return _oom_kills_seen > before
    return False
