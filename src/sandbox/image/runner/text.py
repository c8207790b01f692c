"""Bytes that a program printed, made fit to be read: capped, without terminal codes, always valid text."""

import re

OUTPUT_BYTES_MAX = 100 * 1024
TRUNCATED = "[output truncated]\n"

_TERMINAL_CODES = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: window titles, links
    r"|[()*+][0-9A-Za-z]"  # character sets
    r"|[ -/]*[0-~]"  # everything else of two or three bytes
    r")"
)


class OutputTail:
    """Keeps the last `OUTPUT_BYTES_MAX` bytes of a stream of any length, in bounded memory."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._truncated = False

    def append(self, chunk: bytes) -> None:
        self._kept += chunk
        if len(self._kept) > 2 * OUTPUT_BYTES_MAX:
            self._cut()

    def text(self) -> str:
        if len(self._kept) > OUTPUT_BYTES_MAX:
            self._cut()
        kept = bytes(self._kept)
        if not self._truncated:
            return clean_text(kept)
        start = 0
        while start < 4 and start < len(kept) and kept[start] & 0xC0 == 0x80:  # the rest of a character cut in two
            start += 1
        return TRUNCATED + clean_text(kept[start:])

    def _cut(self) -> None:
        del self._kept[:-OUTPUT_BYTES_MAX]
        self._truncated = True


def clean_text(raw: bytes) -> str:
    """UTF-8 with whatever is invalid, and NUL, replaced by U+FFFD; terminal codes removed."""
    text = raw.decode("utf-8", "replace")
    if "\x1b" in text:
        text = _TERMINAL_CODES.sub("", text)
    return text.replace("\0", "\ufffd")
