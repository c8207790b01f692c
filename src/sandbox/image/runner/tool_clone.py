"""Putting a git repository in place. The model has no such tool: the harness asks for it."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

from children import Children
from errors import ToolError
from files import resolve
from text import clean_text

DEFAULT_TIMEOUT_MS = 600_000

_OUTPUT_BYTES_MAX = 1024 * 1024
_LINES_QUOTED = 20
# Nobody is there to be asked for a password: git is to fail instead.
_NEVER_ASK = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "/bin/true", "SSH_ASKPASS": "/bin/true", "LC_ALL": "C.UTF-8"}


async def clone(children: Children, environment: Mapping[str, str], op: dict[str, Any]) -> str:
    """
    Clones into a folder beside `path`, which then gets its name: what stands there is whole or not there at all. Refuses
    a path where something is.
    """
    path = op["path"]
    target = resolve(path)
    if os.path.lexists(target) and (not os.path.isdir(target) or os.listdir(target)):
        raise ToolError(f"{path}: is not an empty folder")
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    fresh = tempfile.mkdtemp(prefix=".clone-", dir=parent)
    git = _Git(children, environment | _NEVER_ASK, op.get("timeout_ms", DEFAULT_TIMEOUT_MS) / 1000)
    try:
        match op.get("checkout"):
            case {"type": "branch", "name": str(branch)}:
                await git.run("clone", "--quiet", f"--branch={branch}", "--", op["url"], fresh)
            case {"type": "commit", "sha": str(sha)}:
                await git.run("clone", "--quiet", "--no-checkout", "--", op["url"], fresh)
                if not await git.has_commit(fresh, sha):
                    await git.run("-C", fresh, "fetch", "--quiet", "origin", "--", sha)
                await git.run("-C", fresh, "checkout", "--quiet", "--detach", sha)
            case _:
                await git.run("clone", "--quiet", "--", op["url"], fresh)
        os.chmod(fresh, 0o755)
        os.rename(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return f"cloned {op['url']} to {path}"


class _Git:
    def __init__(self, children: Children, environment: Mapping[str, str], timeout_s: float) -> None:
        self._children = children
        self._environment = environment
        self._timeout_s = timeout_s

    async def run(self, *arguments: str) -> None:
        """Raises `ToolError` with git's last lines."""
        status, output = await self._status(*arguments)
        if status != 0:
            lines = clean_text(output).strip().splitlines()[-_LINES_QUOTED:]
            raise ToolError("\n".join(lines) or f"git {arguments[0]} ended with status {status}")

    async def has_commit(self, repository: str, sha: str) -> bool:
        status, _ = await self._status("-C", repository, "cat-file", "-e", f"{sha}^{{commit}}")
        return status == 0

    async def _status(self, *arguments: str) -> tuple[int, bytes]:
        return await self._children.run(["git", *arguments], self._timeout_s, _OUTPUT_BYTES_MAX, env=self._environment)
