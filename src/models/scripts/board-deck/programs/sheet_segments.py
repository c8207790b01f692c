"""One sheet a dimension: its values in order of size, with share and change, and a bar chart."""

from sheet_style import mark_falls, page
from sheet_summary import WINDOW_CELLS

TOP = 4
CHART_ROWS_MAX = 12
CHANGE = "+0.0%;-0.0%;0.0%"


def write_segments(book, sheet, table, analysis, data, style):
    measure, rows = analysis["measure"], table["rows"]
    columns = headings(table, analysis)
    sheet.set_column(0, 0, 2)
    sheet.write(1, 1, f"{measure['label']} by {table['dimension']}", style.title())
    sheet.set_row(1, 28)
    sheet.write(2, 1, note(table, analysis), style.subtitle())
    sheet.set_row(TOP - 1, 32)
    for i, (key, label, width) in enumerate(columns, 1):
        sheet.set_column(i, i, width)
        sheet.write(TOP - 1, i, label, style.header(align="left" if i == 1 else "right"))
    for i, row in enumerate(rows):
        write_row(sheet, TOP + i, row, columns, table, analysis, data, style)
    write_rest(sheet, TOP + len(rows), columns, table, analysis, data, style)
    if measure["agg"] != "mean":
        bar = {"type": "data_bar", "bar_color": style.colour("rest"), "bar_solid": True, "data_bar_2010": True}
        sheet.conditional_format(TOP, 4, TOP + len(rows) - 1, 4, bar)
    if analysis["current"]:
        mark_falls(sheet, style, TOP, len(columns) - 1, TOP + len(rows) + 1, len(columns))
    place_chart(book, sheet, table, analysis, style, TOP + len(rows) + 3)
    sheet.freeze_panes(TOP, 2)
    sheet.fit_to_pages(1, 1)
    page(sheet)


def headings(table, analysis):
    measure = analysis["measure"]
    name = f"Average {measure['label']}" if measure["agg"] == "mean" else measure["label"]
    longest = max(len(str(row["value"])) for row in table["rows"])
    result = [("value", table["dimension"], max(16, min(40, longest + 2))), ("count", "Records", 10), ("total", name, analysis["value_width"])]
    if measure["agg"] != "mean":
        result.append(("share", "Share", 11))
    if analysis["current"]:
        windows = [(key, analysis[key]["label"], analysis["value_width"]) for key in ("current", "previous")]
        result += [*windows, ("change", "Change", analysis["value_width"]), ("change_pct", "Change, %", 11)]
    return result


def note(table, analysis):
    beyond = f"  ·  {table['beyond']:,} smaller values are in the last line but one" if table["beyond"] else ""
    spans = "  ·  the spans are set on the Summary sheet" if analysis["current"] else ""
    return f"Formulas over the Data sheet{spans}{beyond}"


def write_row(sheet, at, row, columns, table, analysis, data, style):
    measure, n = analysis["measure"], at + 1
    fit = measure["format"]
    letters = {key: "BCDEFGHIJ"[i] for i, (key, _, _) in enumerate(columns)}
    same = data.equal(table["dimension"], f"$B{n}", str(row["value"]))
    for i, (key, _, _) in enumerate(columns, 1):
        if key == "value":
            sheet.write_string(at, i, str(row["value"]), style.cell(bold=True))
        elif key == "count":
            sheet.write_formula(at, i, data.count(same), style.cell("#,##0"), row["count"])
        elif key == "total":
            sheet.write_formula(at, i, data.aggregate(measure, same), style.cell(fit), row["total"])
        elif key == "share":
            sheet.write_formula(at, i, f"=IFERROR(D{n}/({data.aggregate(measure)[1:]}),0)", style.cell("0.0%"), row["share"])
        elif key in ("current", "previous"):
            start, end = (f"Summary!{cell}" for cell in WINDOW_CELLS[key])
            sheet.write_formula(at, i, data.aggregate(measure, same, data.between(analysis["time"], start, end)), style.cell(fit), row[key])
        elif key == "change":
            sheet.write_formula(at, i, f"={letters['current']}{n}-{letters['previous']}{n}", style.cell(fit), row["change"])
        else:
            formula = f'=IF({letters["previous"]}{n}=0,"",{letters["change"]}{n}/ABS({letters["previous"]}{n}))'
            sheet.write_formula(at, i, formula, style.cell(CHANGE), "" if row["change_pct"] is None else row["change_pct"])


def write_rest(sheet, at, columns, table, analysis, data, style):
    """What lies beyond the listed values, then the total over everything."""
    measure, rows = analysis["measure"], table["rows"]
    listed = sum(row["count"] for row in rows)
    if table["beyond"]:
        sheet.write_string(at, 1, f"All others ({table['beyond']:,})", style.cell(font_color=style.colour("muted")))
        sheet.write_formula(at, 2, f"={data.count()[1:]}-SUM(C{TOP + 1}:C{at})", style.cell("#,##0"), analysis["counted"] - listed)
        if measure["agg"] != "mean":
            rest = analysis["total"] - sum(row["total"] for row in rows)
            sheet.write_formula(at, 3, f"={data.aggregate(measure)[1:]}-SUM(D{TOP + 1}:D{at})", style.cell(measure["format"]), rest)
        at += 1
    write_total(sheet, at, columns, analysis, data, style)


def write_total(sheet, at, columns, analysis, data, style):
    measure, n = analysis["measure"], at + 1
    letters = {key: "BCDEFGHIJ"[i] for i, (key, _, _) in enumerate(columns)}
    sheet.write_string(at, 1, "Total" if measure["agg"] != "mean" else "Overall", style.total())
    sheet.write_formula(at, 2, data.count(), style.total("#,##0"), analysis["counted"])
    sheet.write_formula(at, 3, data.aggregate(measure), style.total(measure["format"]), analysis["total"])
    if "share" in letters:
        sheet.write_string(at, 4, "", style.total())
    if not analysis["current"]:
        return
    first = len(columns) - 3
    now, before = analysis["now"], analysis["before"]
    for i, (key, value) in enumerate((("current", now), ("previous", before)), first):
        edges = (f"Summary!{cell}" for cell in WINDOW_CELLS[key])
        sheet.write_formula(at, i, data.aggregate(measure, data.between(analysis["time"], *edges)), style.total(measure["format"]), value)
    sheet.write_formula(at, first + 2, f"={letters['current']}{n}-{letters['previous']}{n}", style.total(measure["format"]), now - before)
    relative = f'=IF({letters["previous"]}{n}=0,"",{letters["change"]}{n}/ABS({letters["previous"]}{n}))'
    sheet.write_formula(at, first + 3, relative, style.total(CHANGE), (now - before) / abs(before) if before else "")


def place_chart(book, sheet, table, analysis, style, row):
    measure, shown = analysis["measure"], min(CHART_ROWS_MAX, len(table["rows"]))
    chart = book.add_chart({"type": "bar"})
    name = sheet.get_name()
    chart.add_series(
        {
            "name": measure["label"],
            "categories": [name, TOP, 1, TOP + shown - 1, 1],
            "values": [name, TOP, 3, TOP + shown - 1, 3],
            "fill": {"color": style.colour("accent")},
            "gap": 55,
        }
    )
    first = f"first {shown} of {len(table['rows']) + table['beyond']}" if shown < len(table["rows"]) + table["beyond"] else ""
    style.dress(chart, f"{measure['label']} by {table['dimension']}" + (f", {first}" if first else ""), table["dimension"], measure["label"], analysis["axis_format"], bars=True)  # fmt: skip
    chart.set_size({"width": 860, "height": max(240, 110 + 24 * shown)})
    sheet.insert_chart(row, 1, chart)
