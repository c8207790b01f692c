"""Checks the rendered deck: every word on a page lies inside the page and inside the box it was put in."""

import re
import subprocess
import zipfile
from xml.etree import ElementTree

EMU_PER_POINT = 12_700
SLACK_POINTS = 2
# A word's box as reported spans ascent to descent of the font; its ink keeps clear of this share at top and bottom.
CLEAR = 0.2
NS = {"a": "http://schemas.openxmlformats.org/drawingml/2006/main", "p": "http://schemas.openxmlformats.org/presentationml/2006/main"}
PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', re.S)
WORD = re.compile(r'<word xMin="([\d.\-]+)" yMin="([\d.\-]+)" xMax="([\d.\-]+)" yMax="([\d.\-]+)">(.*?)</word>')


def check_deck(path, pdf, problems):
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if re.fullmatch(r"ppt/slides/slide\d+\.xml", name)]
        names.sort(key=lambda name: int(re.search(r"\d+", name).group()))
        slides = [boxes(ElementTree.fromstring(archive.read(name))) for name in names]
        charts = sum(1 for name in archive.namelist() if re.fullmatch(r"ppt/charts/chart\d+\.xml", name))
    text = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, text=True, timeout=60).stdout
    pages = PAGE.findall(text)
    if len(pages) != len(slides):
        problems.append(f"deck.pptx has {len(slides)} slides but renders to {len(pages)} pages")
    for number, (shapes, (width, height, body)) in enumerate(zip(slides, pages), 1):
        for shape in shapes:
            if not inside(shape, (0, 0, float(width), float(height))):
                problems.append(f"slide {number}: a box reaches beyond the slide")
        for x0, y0, x1, y1, word in WORD.findall(body):
            place = ink(*map(float, (x0, y0, x1, y1)))
            if not any(inside(place, shape) for shape in shapes):
                problems.append(f"slide {number}: {word!r} overflows its box")
    if charts < 2:
        problems.append(f"deck.pptx has {charts} charts")
    return {"slides": len(slides), "deck_charts": charts}


def boxes(slide):
    """(left, top, right, bottom) in points of whatever may hold text."""
    found = []
    for shape in [*slide.iter(f"{{{NS['p']}}}sp"), *slide.iter(f"{{{NS['p']}}}graphicFrame")]:
        offset, extent = shape.find(".//a:off", NS), shape.find(".//a:ext[@cx]", NS)
        holds = shape.tag.endswith("graphicFrame") or shape.find(".//a:t", NS) is not None
        if holds and offset is not None and extent is not None:
            x, y, w, h = (int(node.get(key)) / EMU_PER_POINT for node, key in ((offset, "x"), (offset, "y"), (extent, "cx"), (extent, "cy")))
            found.append((x, y, x + w, y + h))
    return found


def ink(left, top, right, bottom):
    clear = (bottom - top) * CLEAR
    return left, top + clear, right, bottom - clear


def inside(inner, outer):
    return all(inner[i] >= outer[i] - SLACK_POINTS for i in (0, 1)) and all(inner[i] <= outer[i] + SLACK_POINTS for i in (2, 3))
