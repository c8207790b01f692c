"""A picture of the first page, sheet or slide of a deliverable."""

import os
import shutil
import tempfile

from children import Children
from errors import ToolError
from outputs import open_output

_TIMEOUT_S = 45.0
_WIDTH_PX = 1000
_OUTPUT_BYTES_MAX = 1024 * 1024

# Only the first page is exported: a sheet of some thousand rows would make hundreds.
_FIRST_PAGE = ':{"PageRange":{"type":"string","value":"1"}}'
_EXPORTS = {
    **dict.fromkeys(("xlsx", "xlsm", "xls", "ods", "csv"), "pdf:calc_pdf_Export" + _FIRST_PAGE),
    **dict.fromkeys(("pptx", "ppt", "odp"), "pdf:impress_pdf_Export" + _FIRST_PAGE),
    **dict.fromkeys(("docx", "doc", "odt", "rtf"), "pdf:writer_pdf_Export" + _FIRST_PAGE),
}


async def render_preview(children: Children, path: str) -> bytes | None:
    """PNG bytes; None when the file is of a kind that is not rendered, or cannot be."""
    extension = os.path.splitext(path)[1][1:].lower()
    if extension != "pdf" and extension not in _EXPORTS:
        return None
    scratch = tempfile.mkdtemp(prefix="preview-")
    try:
        # A copy under a name of our own: neither the file's name nor a change in mid-rendering reaches the renderer.
        source = os.path.join(scratch, "input." + extension)
        with open(open_output(path), "rb") as original, open(source, "wb") as copy:
            shutil.copyfileobj(original, copy)
        page = source if extension == "pdf" else os.path.join(scratch, "input.pdf")
        if extension != "pdf":
            profile = "-env:UserInstallation=file://" + os.path.join(scratch, "profile")
            options = ["--headless", "--norestore", "--convert-to", _EXPORTS[extension], "--outdir", scratch, source]
            await children.run(["soffice", profile, *options], _TIMEOUT_S, _OUTPUT_BYTES_MAX, cwd=scratch)
        picture = os.path.join(scratch, "page")
        width = ["-scale-to-x", str(_WIDTH_PX), "-scale-to-y", "-1"]
        argv = ["pdftoppm", "-png", "-singlefile", "-f", "1", "-l", "1", *width, page, picture]
        await children.run(argv, _TIMEOUT_S, _OUTPUT_BYTES_MAX, cwd=scratch)
        with open(picture + ".png", "rb") as file:
            return file.read()
    except (ToolError, FileNotFoundError):
        return None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
