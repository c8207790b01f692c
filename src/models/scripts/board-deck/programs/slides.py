"""Lays slides out: each function returns the elements of one slide, in inches, with every text fitted to its box."""

from fit import fit, height, shorten, wrap

WIDTH, HEIGHT = 13.333, 7.5
LEFT, RIGHT = 0.65, 12.683
BODY_BOTTOM = 6.75
TITLE_SIZE, TITLE_SMALLEST = 26, 17
CHART_WIDTH = 7.75
PANEL = LEFT + CHART_WIDTH + 0.45
LABEL_WIDTH = 2.1
ROOM_FOR_CHART = 2.2
TABLE_SIZE, ROW_HEIGHT = 12, 0.38


def box(text, x, y, w, h, size, smallest=9, bold=False, colour="ink", align="left", valign="top"):
    text, size = fit(text, w, h, size, smallest, bold)
    return {"type": "text", "text": text, "x": x, "y": y, "w": w, "h": h, "size": size, "bold": bold, "colour": colour, "align": align, "valign": valign}  # fmt: skip


def rect(x, y, w, h, colour):
    return {"type": "rect", "x": x, "y": y, "w": w, "h": h, "colour": colour}


def title_slide(title, subtitle, figures, lines):
    elements = [
        rect(0, 0, 0.28, HEIGHT, "accent"),
        box(title, 1.1, 1.0, 11.2, 1.65, 46, 24, bold=True, colour="white", valign="bottom"),
        box(subtitle, 1.1, 2.8, 11.2, 0.45, 20, 12, colour="tint"),
    ]
    for i, (figure, label) in enumerate(figures):
        x = 1.1 + i * 3.8
        elements += [
            rect(x, 4.15, 3.4, 0.02, "accent"),
            box(figure, x, 4.3, 3.4, 0.65, 36, 18, bold=True, colour="white", valign="middle"),
            box(label, x, 5.0, 3.4, 0.66, 14, 10, colour="tint"),
        ]
    elements += [box(line, 1.1, 6.42 + i * 0.28, 11.2, 0.26, 11, 8, colour="rest") for i, line in enumerate(lines)]
    return {"background": "deep", "elements": elements}


def heading(kicker, title):
    """(elements, y where the body starts): a title of one line leaves more room below it."""
    text, size = fit(title, RIGHT - LEFT, 0.98, TITLE_SIZE, TITLE_SMALLEST, bold=True)
    tall = height(len(wrap(text, size, RIGHT - LEFT, bold=True)), size) + 0.04
    elements = [
        box(kicker, LEFT, 0.48, RIGHT - LEFT, 0.28, 12, 9, bold=True, colour="accent"),
        box(text, LEFT, 0.8, RIGHT - LEFT, tall, size, TITLE_SMALLEST, bold=True, colour="deep"),
    ]
    return elements, 0.8 + tall + 0.3


def footer(source, number):
    return [
        box(source, LEFT, 7.0, 10.8, 0.24, 9, 7, colour="muted"),
        box(str(number), RIGHT - 0.8, 7.0, 0.8, 0.24, 9, 7, colour="muted", align="right"),
    ]


def summary_slide(kicker, title, items, source, number):
    """Up to five findings, one a row: the figure, the claim, one sentence of support."""
    elements, top = heading(kicker, title)
    step = min(1.3, (BODY_BOTTOM - top) / max(1, len(items)))
    left = 3.2
    for i, item in enumerate(items):
        y = top + i * step
        support = item["points"][0] if item["points"] else item["key_label"]
        elements += [
            rect(LEFT, y, RIGHT - LEFT, 0.01, "line"),
            box(item["key"], LEFT, y + 0.14, left - LEFT - 0.2, step - 0.28, 32, 16, bold=True, colour=tone(item), valign="middle"),
            box(item["headline"], left, y + 0.14, RIGHT - left, (step - 0.28) * 0.52, 18, 12, bold=True, valign="bottom"),
            box(support, left, y + 0.18 + (step - 0.28) * 0.52, RIGHT - left, (step - 0.28) * 0.46, 14, 10, colour="text"),
        ]
    return {"background": "white", "elements": elements + footer(source, number)}


def finding_slide(item, source, number):
    chart = item["chart"]
    elements, top = heading(item["kicker"], item["headline"])
    elements.append(box(chart_caption(chart), LEFT, top, CHART_WIDTH, 0.26, 11.5, 8, colour="muted"))
    elements.append(chart_element(item, LEFT - 0.1, top + 0.3, CHART_WIDTH + 0.1, BODY_BOTTOM - top - 0.35))
    return {"background": "white", "elements": elements + panel(item, top) + footer(source, number)}


def panel(item, top):
    """Right of the chart: the figure, what it is, the reasons, and what follows from it."""
    w = RIGHT - PANEL
    label = item["key_label"][:1].upper() + item["key_label"][1:]
    elements = [
        rect(PANEL - 0.22, top + 0.05, 0.02, BODY_BOTTOM - top - 0.1, "line"),
        box(item["key"], PANEL, top, w, 0.75, 42, 22, bold=True, colour=tone(item), valign="middle"),
        box(label, PANEL, top + 0.82, w, 0.5, 12.5, 9, colour="muted"),
    ]
    y = top + 1.55
    advice = item["advice"]
    bottom = BODY_BOTTOM - (1.45 if advice else 0)
    room = (bottom - y) / max(1, len(item["points"]))
    for point in item["points"]:
        text, size = fit(point, w, min(room - 0.1, 1.15), 16, 10)
        tall = height(len(wrap(text, size, w)), size) + 0.02
        elements.append(box(text, PANEL, y, w, tall, size, 9))
        y += tall + 0.16
    return elements + (follow_up(advice, w) if advice else [])


def tone(item):
    return "down" if item["id"] == "decline" else "accent"


def follow_up(advice, w):
    return [
        rect(PANEL, BODY_BOTTOM - 1.3, w, 1.3, "tint"),
        box("What follows", PANEL + 0.18, BODY_BOTTOM - 1.18, w - 0.36, 0.24, 11, 9, bold=True, colour="accent"),
        box(advice, PANEL + 0.18, BODY_BOTTOM - 0.9, w - 0.36, 0.8, 14, 9, colour="deep"),
    ]


def chart_caption(chart):
    """What the values are; axis titles would repeat it."""
    along = chart.get("category_axis")
    return f"{chart['axis']}; along the axis: {along[:1].lower()}{along[1:]}" if along else chart["axis"]


def chart_element(item, x, y, w, h):
    chart = item["chart"]
    bars = chart["kind"] == "bar"
    inches = LABEL_WIDTH if bars else max(0.75, (w - 1) / max(1, len(chart["categories"])) * 1.6)
    labels = [shorten(label, inches, 12 if bars else 10.5) for label in chart["categories"]]
    return chart | {"type": "chart", "x": x, "y": y, "w": w, "h": h, "categories": labels, "alt": item["headline"], "id": item["id"]}


def quality_slide(title, issues, caveats, filled, source, number):
    """What was wrong and what was done, then what to keep in mind."""
    columns = [("Column", 3.2), ("What", 3.7), ("Rows", 0.85), ("What was done", 4.283)]
    widths = [w for _, w in columns]
    cell = lambda text, i: shorten(text, widths[i] - 0.3, TABLE_SIZE, bold=i == 0)  # noqa: E731
    rows = [[cell(issue["column"], 0), cell(issue["what"], 1), f"{issue['count']:,}", cell(issue["done"], 3)] for issue in issues]
    elements, top = heading("Data quality", title)
    if rows:
        table = {"type": "table", "x": LEFT, "y": top, "widths": widths, "header": [name for name, _ in columns], "rows": rows, "row_height": ROW_HEIGHT, "size": TABLE_SIZE}  # fmt: skip
        elements.append(table)
        top += ROW_HEIGHT * (len(rows) + 1) + 0.28
    if caveats:
        elements.append(box("Keep in mind", LEFT, top, 3, 0.28, 12, 9, bold=True, colour="accent"))
        text = "\n".join(f"•  {line}" for line in caveats)
        tall = min(BODY_BOTTOM - top - 0.3, 0.27 * len(caveats) + 0.05)
        elements.append(box(text, LEFT, top + 0.3, RIGHT - LEFT, tall, 14, 8, colour="text"))
        top += tall + 0.6
    if BODY_BOTTOM - top > ROOM_FOR_CHART:
        elements.append(box(chart_caption(filled["chart"]), LEFT, top, CHART_WIDTH, 0.26, 11.5, 8, colour="muted"))
        elements.append(chart_element(filled, LEFT - 0.1, top + 0.28, RIGHT - LEFT, BODY_BOTTOM - top - 0.28))
    return {"background": "white", "elements": elements + footer(source, number)}


def closing_slide(title, steps, basis, source, number):
    """What to do, and below it, where there is room, what the figures rest on."""
    elements, top = heading("Next steps", title)
    step = min(0.95, (BODY_BOTTOM - top) / max(1, len(steps)))
    for i, text in enumerate(steps):
        y = top + i * step
        elements += [
            rect(LEFT, y, 0.58, 0.58, "accent"),
            box(str(i + 1), LEFT, y, 0.58, 0.58, 20, 12, bold=True, colour="white", align="center", valign="middle"),
            box(text, LEFT + 0.9, y - 0.04, RIGHT - LEFT - 0.9, 0.66, 18, 11, valign="middle"),
        ]
    y = max(top + len(steps) * step + 0.35, BODY_BOTTOM - 1.75)
    if BODY_BOTTOM - y > 1.3:
        y = BODY_BOTTOM - 0.66 - 0.26 * len(basis)
        elements += [rect(LEFT, y, RIGHT - LEFT, BODY_BOTTOM - y, "tint")]
        elements.append(box("What the figures rest on", LEFT + 0.25, y + 0.18, 6, 0.28, 12, 9, bold=True, colour="accent"))
        text = "\n".join(f"•  {line}" for line in basis)
        elements.append(box(text, LEFT + 0.25, y + 0.5, RIGHT - LEFT - 0.5, BODY_BOTTOM - y - 0.62, 14, 9, colour="deep"))
    return {"background": "white", "elements": elements + footer(source, number)}
