"""Tasks that begin at once, as `asyncio.eager_task_factory` makes them from Python 3.12 on."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any


def start_eagerly(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """
    Runs `coroutine` up to where it first has to wait, and the rest as a task. None when it never had to, which spares
    most calls a trip round the event loop.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return asyncio.create_task(_rest_of(coroutine, awaited))


@types.coroutine
def _rest_of(coroutine: Coroutine[Any, Any, None], awaited: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            sent = yield awaited
        except BaseException as error:
            resume, argument = coroutine.throw, error
        else:
            resume, argument = coroutine.send, sent
        try:
            awaited = resume(argument)
        except StopIteration:
            return
