"""What became of each call, by its id: the reason why a call that is asked for twice runs once."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

RESULT_BYTES_MAX = 64 * 1024 * 1024  # of results kept in memory; their file may grow to twice that
CALLS_MAX = 20_000

Result = dict[str, Any]

_encoder = json.JSONEncoder(separators=(",", ":"))  # made once: it costs more than a small result


class Journal:
    """
    Finished results and calls that have been started, in memory and in a file that a later runner reads.

    The file guards against a runner that was killed, not against a machine that lost power: the container would be lost
    with it. So nothing waits for the disk.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._results: dict[str, bytes] = {}
        self._kept_bytes = 0
        self._started: dict[str, None] = {}
        self._load()
        self._fd = self._open()
        for call_id in self._started:
            self._keep(call_id, _encode(_unknown_outcome()))
        self._started.clear()
        self._rewrite()

    def result_of(self, call_id: str) -> bytes | None:
        """The JSON of the call's result; None when it has not finished here."""
        return self._results.get(call_id)

    def start(self, call_id: str) -> None:
        """Records, before it runs, that the call may from now on have had an effect."""
        self._started[call_id] = None
        self._append(_start_line(call_id))

    def finish(self, call_id: str, result: Result) -> bytes:
        """Records the result and returns its JSON."""
        encoded = _encode(result)
        self._append(_result_line(call_id, encoded))
        self._started.pop(call_id, None)
        self._keep(call_id, encoded)
        if self._file_bytes > 2 * RESULT_BYTES_MAX:
            self._rewrite()
        return encoded

    def _keep(self, call_id: str, encoded: bytes) -> None:
        self._results[call_id] = encoded
        self._kept_bytes += len(encoded)
        while len(self._results) > CALLS_MAX:
            oldest = next(iter(self._results))
            self._kept_bytes -= len(self._results.pop(oldest))
        if self._kept_bytes > RESULT_BYTES_MAX:
            dropped = _encode(_dropped_result())
            for older in list(self._results):
                if self._kept_bytes <= RESULT_BYTES_MAX // 2 or older == call_id:
                    break
                self._kept_bytes -= len(self._results[older]) - len(dropped)
                self._results[older] = dropped

    def _load(self) -> None:
        for entry in self._entries():
            match entry:
                case {"call": str(call_id), "result": dict(result)}:
                    self._started.pop(call_id, None)
                    self._keep(call_id, _encode(result))
                case {"call": str(call_id)}:
                    self._started[call_id] = None

    def _entries(self) -> Iterator[Any]:
        try:
            with open(self._path, "rb") as file:
                for line in file:
                    try:
                        yield json.loads(line)
                    except ValueError:
                        continue  # empty, or cut off when the runner was killed or the disk full
        except FileNotFoundError:
            return

    def _rewrite(self) -> None:
        """Leaves out of the file what has been dropped."""
        fresh = f"{self._path}.{os.getpid()}"
        try:
            with open(fresh, "wb") as file:
                file.writelines(_result_line(call_id, encoded) for call_id, encoded in self._results.items())
                file.writelines(_start_line(call_id) for call_id in self._started)
            os.replace(fresh, self._path)
        except OSError as error:
            print("journal not rewritten:", error, file=sys.stderr, flush=True)
        os.close(self._fd)
        self._fd = self._open()

    def _open(self) -> int:
        fd = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file_bytes = os.fstat(fd).st_size
        return fd

    def _append(self, line: bytes) -> None:
        try:
            self._file_bytes += os.write(self._fd, line)
        except OSError as error:
            # The disk is full, and only tools can make room on it: they must go on, with the journal in memory alone.
            print("journal not written:", error, file=sys.stderr, flush=True)


# Each record begins a new line, because the one before it may have been cut off by a full disk.


def _start_line(call_id: str) -> bytes:
    return b'\n{"call":%s}' % json.dumps(call_id).encode()


def _result_line(call_id: str, encoded: bytes) -> bytes:
    return b'\n{"call":%s,"result":%s}' % (json.dumps(call_id).encode(), encoded)


def error_result(text: str) -> Result:
    return {"content": [{"type": "text", "text": text}], "is_error": True}


def _encode(value: dict[str, Any]) -> bytes:
    return _encoder.encode(value).encode()


def _unknown_outcome() -> Result:
    return error_result(
        "The tool runner was killed while this call was in progress. "
        "Its outcome is unknown: it may or may not have run."
    )


def _dropped_result() -> Result:
    return error_result("This call finished, but so long ago that its result is no longer kept.")
