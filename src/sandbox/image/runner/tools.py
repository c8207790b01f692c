"""The tools by name: each takes its input, as the host has checked it, and gives content for the model."""

import asyncio
import threading
from typing import Any

import tool_bash
import tool_clone
import tool_edit
import tool_read
import tool_search
from children import Children
from environment import Environment
from errors import ToolError
from journal import Result
from shell import Shell


class Tools:
    def __init__(self, children: Children, shell: Shell, environment: Environment) -> None:
        self._children = children
        self._environment = environment
        self._shell = shell

    async def run(self, op: dict[str, Any], body: bytes) -> Result:
        """Raises `ToolError` with what to tell the model. Cancelling it ends what it started."""
        match op["op"]:
            case "bash":
                return await tool_bash.bash(self._shell, op)
            case "read":
                return _done(*await tool_read.read(self._children, op["file_path"], op.get("view_range")))
            case "write":
                return _said(await asyncio.to_thread(tool_edit.write, op["file_path"], body))
            case "edit":
                arguments = op["file_path"], op["old_string"], op["new_string"], op.get("replace_all", False)
                return _said(await asyncio.to_thread(tool_edit.edit, *arguments))
            case "glob":
                stop = threading.Event()
                try:
                    return _said(await asyncio.to_thread(tool_search.glob, op["pattern"], op.get("path"), stop))
                finally:
                    stop.set()
            case "grep":
                return _said(await tool_search.grep(self._children, op["pattern"], op.get("path")))
            case "clone":
                return _said(await tool_clone.clone(self._children, self._environment.all(), op))
            case unknown:
                raise ToolError(f"{unknown}: no such tool")


def _said(text: str) -> Result:
    return _done({"type": "text", "text": text})


def _done(*content: dict[str, str]) -> Result:
    return {"content": list(content), "is_error": False}
