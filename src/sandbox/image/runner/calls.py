"""Runs each call at most once, whoever asks for it and however often."""

import asyncio
import traceback
from collections.abc import Callable
from typing import Any

from eager import start_eagerly
from errors import ToolError
from journal import Journal, Result, error_result
from tools import Tools


Deliver = Callable[[bytes], None]


class Calls:
    def __init__(self, journal: Journal, tools: Tools) -> None:
        self._journal = journal
        self._tools = tools
        self._running: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, list[Deliver]] = {}

    def ask(self, call_id: str, op: dict[str, Any], body: bytes, deliver: Deliver) -> None:
        """
        Has `deliver` called with the JSON of the call's result: from the journal, from the run in progress, or from a
        run that begins now. It is called even when nobody is left to be told.
        """
        recorded = self._journal.result_of(call_id)
        if recorded is not None:
            deliver(recorded)
        elif call_id in self._running:
            self._waiting[call_id].append(deliver)
        else:
            self._journal.start(call_id)
            self._waiting[call_id] = [deliver]
            task = start_eagerly(self._run(call_id, op, body))
            if task is not None:
                self._running[call_id] = task

    async def cancel(self, call_id: str) -> None:
        """Returns when the call has ended and its interruption is recorded. Does nothing to one that is not running."""
        task = self._running.get(call_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self, call_id: str, op: dict[str, Any], body: bytes) -> None:
        result = self._journal.finish(call_id, await self._outcome(op, body))
        self._running.pop(call_id, None)
        for deliver in self._waiting.pop(call_id):
            deliver(result)

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
