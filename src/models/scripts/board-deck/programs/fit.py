"""Fits text into boxes by the metrics of the font it will be drawn with (Liberation Sans, which measures like Arial)."""

import functools
import unicodedata

from PIL import ImageFont

FOLDER = "/usr/share/fonts/truetype/liberation"
MEASURED_AT = 200
LINE = 1.2
# Renderers differ by a little; text is fitted into slightly less than its box.
SAFE = 0.97
# No box here holds more; longer texts would only take time to measure.
CHARS_MAX = 600


@functools.cache
def font(bold):
    return ImageFont.truetype(f"{FOLDER}/LiberationSans-{'Bold' if bold else 'Regular'}.ttf", MEASURED_AT)


def width(text, size, bold=False):
    """In inches, at `size` points."""
    ems = font(bold).getlength("".join(char for char in text if not wide(char))) / MEASURED_AT
    return (ems + sum(1 for char in text if wide(char))) * size / 72


def wide(char):
    return unicodedata.east_asian_width(char) in "WF"


def wrap(text, size, inches, bold=False):
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}".strip()
            if width(longer, size, bold) <= inches * SAFE:
                line = longer
                continue
            if line:
                lines.append(line)
            line = word
            while width(line, size, bold) > inches * SAFE and len(line) > 1:
                cut = next(n for n in range(len(line) - 1, 0, -1) if width(line[:n], size, bold) <= inches * SAFE or n == 1)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line)
    return lines


def height(lines, size):
    return lines * size * LINE / 72


def fit(text, inches, tall, largest, smallest, bold=False):
    """(text, size): the largest size at which it fits, or the text cut with an ellipsis at the smallest."""
    text = text[:CHARS_MAX]
    size = largest
    while size > smallest and height(len(wrap(text, size, inches, bold)), size) > tall:
        size -= 0.5
    while height(len(wrap(text, size, inches, bold)), size) > tall and len(text) > 1:
        text = text[:-2].rstrip(" .,;:…") + "…"
    return text, size


def shorten(text, inches, size, bold=False):
    """One line."""
    text = " ".join(text[:CHARS_MAX].split())
    if width(text, size, bold) <= inches:
        return text
    while len(text) > 1 and width(text + "…", size, bold) > inches:
        text = text[:-1].rstrip()
    return text + "…"
