"""The read tool: text, images, PDF and notebooks, each as the model can use it best."""

import asyncio
import base64
import json
import os
import sys
from collections.abc import Iterable

from children import Children
from errors import ToolError
from files import open_regular, read_file, resolve
from notebook import notebook_text
from text import clean_text

TEXT_BYTES_MAX = 256 * 1024
DOCUMENT_BYTES_MAX = 10 * 1024 * 1024
IMAGE_FILE_BYTES_MAX = 50 * 1024 * 1024
NOTEBOOK_BYTES_MAX = 50 * 1024 * 1024
# The model's limit is 5 MB for the base64 form, which is a third larger than the bytes.
IMAGE_BYTES_MAX = 5_000_000 // 4 * 3
IMAGE_SIDE_MAX = 2000

_HELPER_TIMEOUT_S = 60.0
_SHRINK_IMAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shrink_image.py")

Content = dict[str, str]


async def read(children: Children, path: str, view_range: list[int] | None) -> list[Content]:
    """What is in the file at `path`. `view_range` is first and last line, from 1; an end of 0 or less is the last."""
    with open(open_regular(path), "rb") as file:
        head = file.read(8192)
        size = os.fstat(file.fileno()).st_size
    if head.startswith(b"%PDF-"):
        return await _read_pdf(children, path, size, view_range)
    if _is_image(head):
        return [await _read_image(children, path)]
    return [_text(await asyncio.to_thread(_read_text, path, head, size, view_range))]


def _read_text(path: str, head: bytes, size: int, view_range: list[int] | None) -> str:
    if path.endswith(".ipynb"):
        rendered = notebook_text(read_file(path, NOTEBOOK_BYTES_MAX, "take it apart with bash"))
        if rendered is not None:
            return _lines(path, rendered.splitlines(keepends=True), view_range)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    if encoding == "utf-8" and b"\0" in head:
        raise ToolError(f"{path}: is a binary file of {size} bytes, not text; use bash, e.g. file, python3 or unzip -l")
    if view_range is None and size > TEXT_BYTES_MAX:
        raise ToolError(_too_large(path, size))
    with open(open_regular(path), encoding=encoding, errors="replace", newline="\n") as file:
        # A line of any length must not have to fit in memory: one that is too long to show comes in pieces.
        return _lines(path, iter(lambda: file.readline(TEXT_BYTES_MAX + 1), ""), view_range)


def _lines(path: str, pieces: Iterable[str], view_range: list[int] | None) -> str:
    first, last = view_range or (1, 0)
    if first < 1:
        raise ToolError(f"view_range: the first line is 1, not {first}")
    if 0 < last < first:
        raise ToolError(f"view_range: ends at line {last}, before its start at line {first}")
    taken: list[str] = []
    taken_size = 0
    number, at_start = 0, True
    for piece in pieces:
        number += at_start
        at_start = piece.endswith("\n")
        if number > last > 0:
            break
        if number >= first:
            taken.append(piece)
            taken_size += len(piece.encode("utf-8", "replace"))
            if taken_size > TEXT_BYTES_MAX:
                raise ToolError(_too_large(path, taken_size))
    if first > max(number, 1):
        raise ToolError(f"view_range: starts at line {first}, but {path} has {number} lines")
    return "".join(taken).replace("\0", "\ufffd") or "(empty file)"


def _too_large(path: str, size: int) -> str:
    return f"{path}: {size} bytes are more than the {TEXT_BYTES_MAX} that fit; read a part of it with view_range"


def _is_image(head: bytes) -> bool:
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")):
        return True
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


async def _read_image(children: Children, path: str) -> Content:
    # Decoding is left to a process of its own: an image can be made to need any amount of memory.
    limits = [str(IMAGE_FILE_BYTES_MAX), str(IMAGE_BYTES_MAX), str(IMAGE_SIDE_MAX)]
    argv = [sys.executable, "-I", _SHRINK_IMAGE, resolve(path), *limits]
    status, output = await children.run(argv, _HELPER_TIMEOUT_S, 2 * IMAGE_BYTES_MAX)
    if status != 0:
        reason = clean_text(output).strip().splitlines()[-1:] or [f"the decoder ended with {status}"]
        raise ToolError(f"{path}: cannot be shown as an image: {reason[0]}")
    image = json.loads(output)
    return {"type": "image", "media_type": image["media_type"], "data": image["data"]}


async def _read_pdf(children: Children, path: str, size: int, view_range: list[int] | None) -> list[Content]:
    if view_range is None and size <= DOCUMENT_BYTES_MAX:
        content = read_file(path, DOCUMENT_BYTES_MAX, "read it with view_range")
        return [{"type": "document", "media_type": "application/pdf", "data": base64.b64encode(content).decode()}]
    argv = ["pdftotext", "-layout", resolve(path), "-"]
    status, output = await children.run(argv, _HELPER_TIMEOUT_S, NOTEBOOK_BYTES_MAX)
    if status != 0:
        raise ToolError(f"{path}: pdftotext failed: {clean_text(output).strip() or status}")
    text = clean_text(output)
    if view_range is not None:
        return [_text(_lines(path, text.splitlines(keepends=True), view_range))]
    shown = text.encode()[:TEXT_BYTES_MAX].decode("utf-8", "ignore")
    note = f"[text of a PDF of {size} bytes, too large to show as pages"
    note += "]\n" if len(shown) == len(text) else "; cut here, read on with view_range]\n"
    return [_text(note + shown)]


def _text(text: str) -> Content:
    return {"type": "text", "text": text}
