"""Runs each call at most once, whoever asks for it and however often."""

import asyncio
import traceback
from typing import Any

from errors import ToolError
from journal import Journal, Result, error_result
from tools import Tools


class Calls:
    def __init__(self, journal: Journal, tools: Tools) -> None:
        self._journal = journal
        self._tools = tools
        self._running: dict[str, asyncio.Task[bytes]] = {}

    async def result(self, call_id: str, op: dict[str, Any], body: bytes) -> bytes:
        """The JSON of the call's result: from the journal, from the run in progress, or from a run that begins now."""
        recorded = self._journal.result_of(call_id)
        if recorded is not None:
            return recorded
        task = self._running.get(call_id)
        if task is None:
            self._journal.start(call_id)
            task = asyncio.create_task(self._run(call_id, op, body))
            self._running[call_id] = task
        return await asyncio.shield(task)

    async def cancel(self, call_id: str) -> None:
        """Returns when the call has ended and its interruption is recorded. Does nothing to a call that is not running."""
        task = self._running.get(call_id)
        if task is not None:
            await asyncio.sleep(0)  # a task that is cancelled before its first step does not get to record anything
            task.cancel()
            await asyncio.wait([task])

    async def _run(self, call_id: str, op: dict[str, Any], body: bytes) -> bytes:
        try:
            return self._journal.finish(call_id, await self._outcome(op, body))
        finally:
            del self._running[call_id]

    async def _outcome(self, op: dict[str, Any], body: bytes) -> Result:
        try:
            return await self._tools.run(op, body)
        except ToolError as error:
            return error_result(str(error))
        except asyncio.CancelledError:
            return error_result("The call was interrupted before it finished.")
        except OSError as error:
            # No more processes, memory or disk: the agent can do something about that.
            return error_result(f"{op['op']}: {error}")
        except Exception:
            traceback.print_exc()
            return error_result(f"{op['op']}: the tool runner failed: {traceback.format_exc(limit=-1)}")
