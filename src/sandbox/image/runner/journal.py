"""What became of each call, by its id: the reason why a call that is asked for twice runs once."""

import json
import os
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
        self._file_bytes = 0
        started = self._load()
        for call_id in started:
            self._keep(call_id, _encode(_unknown_outcome()))
        self._rewrite()

    def result_of(self, call_id: str) -> bytes | None:
        """The JSON of the call's result; None when it has not finished here."""
        return self._results.get(call_id)

    def start(self, call_id: str) -> None:
        """Records, before it runs, that the call may from now on have had an effect."""
        self._write({"call": call_id})

    def finish(self, call_id: str, result: Result) -> bytes:
        """Records the result and returns its JSON."""
        encoded = _encode(result)
        self._append(b'{"call":%s,"result":%s}\n' % (json.dumps(call_id).encode(), encoded))
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

    def _load(self) -> list[str]:
        """Fills in the results; returns the calls that were started and have none."""
        started: dict[str, None] = {}
        for entry in self._entries():
            call_id = entry["call"]
            if "result" in entry:
                started.pop(call_id, None)
                self._keep(call_id, _encode(entry["result"]))
            else:
                started[call_id] = None
        return list(started)

    def _entries(self) -> Iterator[dict[str, Any]]:
        try:
            with open(self._path, "rb") as file:
                for line in file:
                    try:
                        yield json.loads(line)
                    except ValueError:
                        continue  # the last line of a runner that was killed while it wrote
        except FileNotFoundError:
            return

    def _rewrite(self) -> None:
        fresh = f"{self._path}.{os.getpid()}"
        with open(fresh, "wb") as file:
            for call_id, encoded in self._results.items():
                file.write(b'{"call":%s,"result":%s}\n' % (json.dumps(call_id).encode(), encoded))
            self._file_bytes = file.tell()
        os.replace(fresh, self._path)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _write(self, entry: dict[str, Any]) -> None:
        self._append(_encode(entry) + b"\n")

    def _append(self, line: bytes) -> None:
        self._file_bytes += os.write(self._fd, line)


def error_result(text: str) -> Result:
    return {"content": [{"type": "text", "text": text}], "is_error": True}


def _encode(value: dict[str, Any]) -> bytes:
    return _encoder.encode(value).encode()


def _unknown_outcome() -> Result:
    return error_result(
        "The tool runner was killed while this call was in progress. Its outcome is unknown: it may or may not have run."
    )


def _dropped_result() -> Result:
    return error_result("This call finished, but so long ago that its result is no longer kept.")
