"""Lays slides out: each function returns the elements of one slide, in inches, with every text fitted to its box."""

from fit import fit, height, shorten, wrap

WIDTH, HEIGHT = 13.333, 7.5
LEFT, RIGHT = 0.65, 12.683
BODY_TOP, BODY_BOTTOM = 1.95, 6.75
CHART_WIDTH = 7.75
PANEL = LEFT + CHART_WIDTH + 0.45
LABEL_WIDTH = 2.1


def box(text, x, y, w, h, size, smallest=9, bold=False, colour="ink", align="left", valign="top"):
    text, size = fit(text, w, h, size, smallest, bold)
    return {"type": "text", "text": text, "x": x, "y": y, "w": w, "h": h, "size": size, "bold": bold, "colour": colour, "align": align, "valign": valign}  # fmt: skip


def rect(x, y, w, h, colour):
    return {"type": "rect", "x": x, "y": y, "w": w, "h": h, "colour": colour}


def title_slide(title, subtitle, lines):
    return {
        "background": "deep",
        "elements": [
            rect(0, 0, 0.28, HEIGHT, "accent"),
            box(title, 1.1, 2.0, 10.8, 1.75, 44, 24, bold=True, colour="white", valign="bottom"),
            box(subtitle, 1.1, 3.95, 10.8, 0.8, 20, 12, colour="tint"),
            *[box(line, 1.1, 6.2 + i * 0.3, 10.8, 0.28, 11, 8, colour="rest") for i, line in enumerate(lines)],
        ],
    }


def heading(kicker, title):
    return [
        box(kicker, LEFT, 0.48, RIGHT - LEFT, 0.28, 12, 9, bold=True, colour="accent"),
        box(title, LEFT, 0.78, RIGHT - LEFT, 0.98, 26, 17, bold=True, colour="deep"),
    ]


def footer(source, number):
    return [
        box(source, LEFT, 7.0, 10.8, 0.24, 9, 7, colour="muted"),
        box(str(number), RIGHT - 0.8, 7.0, 0.8, 0.24, 9, 7, colour="muted", align="right"),
    ]


def summary_slide(kicker, title, items, source, number):
    """Up to five findings, one a row: the figure, the claim, one sentence of support."""
    elements = heading(kicker, title)
    step = min(1.2, (BODY_BOTTOM - BODY_TOP) / max(1, len(items)))
    for i, item in enumerate(items):
        y = BODY_TOP + i * step
        if i:
            elements.append(rect(LEFT, y - 0.08, RIGHT - LEFT, 0.01, "line"))
        elements.append(box(item["key"], LEFT, y, 2.2, step - 0.2, 30, 16, bold=True, colour="accent", valign="middle"))
        inner = 3.1
        elements.append(box(item["headline"], inner, y + 0.02, RIGHT - inner, 0.36, 17, 12, bold=True))
        support = item["points"][0] if item["points"] else item["key_label"]
        elements.append(box(support, inner, y + 0.42, RIGHT - inner, step - 0.62, 13, 10, colour="text"))
    return {"background": "white", "elements": elements + footer(source, number)}


def finding_slide(item, source, number):
    chart = item["chart"]
    elements = heading(item["kicker"], item["headline"])
    elements.append(box(chart_caption(chart), LEFT, BODY_TOP, CHART_WIDTH, 0.26, 11, 8, colour="muted"))
    elements.append(chart_element(item, LEFT - 0.1, BODY_TOP + 0.3, CHART_WIDTH + 0.1, BODY_BOTTOM - BODY_TOP - 0.35))
    return {"background": "white", "elements": elements + panel(item) + footer(source, number)}


def panel(item):
    """Right of the chart: the figure, what it is, the reasons, and what follows from it."""
    w, y = RIGHT - PANEL, BODY_TOP
    elements = [
        rect(PANEL - 0.22, BODY_TOP + 0.05, 0.03, BODY_BOTTOM - BODY_TOP - 0.1, "line"),
        box(item["key"], PANEL, y, w, 0.75, 40, 22, bold=True, colour="accent", valign="middle"),
    ]
    y += 0.8
    label, size = fit(item["key_label"], w, 0.5, 12, 9)
    elements.append(box(label, PANEL, y, w, 0.5, size, 9, colour="muted"))
    y += 0.68
    advice = item["advice"]
    bottom = BODY_BOTTOM - (1.35 if advice else 0)
    room = (bottom - y) / max(1, len(item["points"]))
    for point in item["points"]:
        text, size = fit(point, w, min(room - 0.08, 1.05), 14, 10)
        tall = height(len(wrap(text, size, w)), size) + 0.02
        elements.append(box(text, PANEL, y, w, tall, size, 9, colour="ink"))
        y += tall + 0.14
    if advice:
        elements += [
            rect(PANEL, BODY_BOTTOM - 1.2, w, 1.2, "tint"),
            box("What follows", PANEL + 0.15, BODY_BOTTOM - 1.12, w - 0.3, 0.24, 11, 9, bold=True, colour="accent"),
            box(advice, PANEL + 0.15, BODY_BOTTOM - 0.86, w - 0.3, 0.8, 13, 9, colour="deep"),
        ]
    return elements


def chart_caption(chart):
    """What the values are; axis titles would repeat it."""
    along = chart.get("category_axis")
    return f"{chart['axis']}; along the axis: {along[:1].lower()}{along[1:]}" if along else chart["axis"]


def chart_element(item, x, y, w, h):
    chart = item["chart"]
    bars = chart["kind"] == "bar"
    inches = LABEL_WIDTH if bars else max(0.75, (w - 1) / max(1, len(chart["categories"])) * 1.6)
    labels = [shorten(label, inches, 10.5) for label in chart["categories"]]
    return chart | {"type": "chart", "x": x, "y": y, "w": w, "h": h, "categories": labels, "alt": item["headline"], "id": item["id"]}


def quality_slide(title, issues, caveats, source, number):
    """What was wrong and what was done, then what to keep in mind."""
    columns = [("Column", 2.3), ("What", 3.5), ("Rows", 0.9), ("What was done", 5.333)]
    widths = [w for _, w in columns]
    rows = [
        [shorten(issue["column"], widths[0] - 0.2, 11), shorten(issue["what"], widths[1] - 0.2, 11), f"{issue['count']:,}", shorten(issue["done"], widths[3] - 0.25, 11)]
        for issue in issues
    ]  # fmt: skip
    table = {"type": "table", "x": LEFT, "y": BODY_TOP, "widths": widths, "header": [name for name, _ in columns], "rows": rows, "row_height": 0.34, "size": 11}
    y = BODY_TOP + 0.34 * (len(rows) + 1) + 0.25
    elements = [*heading("Data quality", title), table]
    if caveats and y < BODY_BOTTOM - 0.7:
        elements.append(box("Keep in mind", LEFT, y, 3, 0.28, 12, 9, bold=True, colour="accent"))
        text = "\n".join(f"•  {line}" for line in caveats)
        elements.append(box(text, LEFT, y + 0.3, RIGHT - LEFT, BODY_BOTTOM - y - 0.3, 12.5, 9, colour="text"))
    return {"background": "white", "elements": elements + footer(source, number)}


def closing_slide(title, steps, source, number):
    elements = heading("Next steps", title)
    step = min(0.98, (BODY_BOTTOM - BODY_TOP) / max(1, len(steps)))
    for i, text in enumerate(steps):
        y = BODY_TOP + i * step
        elements += [
            rect(LEFT, y, 0.58, 0.58, "accent"),
            box(str(i + 1), LEFT, y, 0.58, 0.58, 20, 12, bold=True, colour="white", align="center", valign="middle"),
            box(text, LEFT + 0.9, y - 0.02, RIGHT - LEFT - 0.9, 0.64, 18, 11, valign="middle"),
        ]
    return {"background": "white", "elements": elements + footer(source, number)}
