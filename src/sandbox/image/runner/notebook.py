"""Jupyter notebooks as text: their cells in order, with what they printed, without the pictures in between."""

import json
from typing import Any

_OUTPUT_CHARS_MAX = 4000


def notebook_text(raw: bytes) -> str | None:
    """None when `raw` is not a notebook."""
    try:
        cells = json.loads(raw)["cells"]
        return "\n".join(_cell(number, cell) for number, cell in enumerate(cells, 1))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _cell(number: int, cell: dict[str, Any]) -> str:
    parts = [f"# --- cell {number} ({cell['cell_type']}) ---", _joined(cell["source"])]
    for output in cell.get("outputs", []):
        printed = _output(output)
        if len(printed) > _OUTPUT_CHARS_MAX:
            printed = printed[:_OUTPUT_CHARS_MAX] + "\n[output truncated]"
        if printed:
            parts.append("# --- output ---\n" + printed)
    return "\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    if output.get("output_type") == "error":
        return f"{output.get('ename')}: {output.get('evalue')}"
    if "text" in output:
        return _joined(output["text"])
    data = output.get("data", {})
    if "text/plain" in data:
        return _joined(data["text/plain"])
    return f"[{', '.join(data)}]"


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
