"""Finding and killing every process that came from another one, whatever group or session it has moved to."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable

_ROUNDS_MAX = 20


def kill_tree(root: int) -> None:
    """Kills `root` and all that descends from it."""
    kill_descendants(root)
    _send(signal.SIGKILL, [root])


def kill_descendants(root: int, spare: frozenset[int] = frozenset()) -> None:
    """
    Kills all that descends from `root`, except the processes in `spare` and what descends from those.

    They are stopped first, so that none can start another one while they are being killed. Where `root` is a
    subreaper no descendant is missed: one whose parent has ended is by then a child of `root`.
    """
    stopped: set[int] = set()
    for _ in range(_ROUNDS_MAX):
        running = set(_live_descendants(root, spare)) - stopped
        if not running:
            break
        _send(signal.SIGSTOP, running)
        stopped |= running
    for _ in range(_ROUNDS_MAX):
        living = _live_descendants(root, spare)
        if not living:
            break
        _send(signal.SIGKILL, living)


def _live_descendants(root: int, spare: frozenset[int]) -> list[int]:
    children: dict[int, list[int]] = defaultdict(list)
    zombies: set[int] = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                # The second field, the program's name in parentheses, may hold anything: count from its end.
                state, parent = file.read().rpartition(b")")[2].split(maxsplit=2)[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        children[int(parent)].append(int(name))
        if state in (b"Z", b"X"):
            zombies.add(int(name))
    found: list[int] = []
    pending = [root]
    while pending:
        for child in children[pending.pop()]:
            if child not in spare:
                found.append(child)
                pending.append(child)
    return [pid for pid in found if pid not in zombies]


def _send(sign: signal.Signals, pids: Iterable[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            pass  # It has ended by itself.
