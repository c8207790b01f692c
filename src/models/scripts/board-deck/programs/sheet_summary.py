"""The first sheet: figures that the spreadsheet computes, the trend, and the findings in words."""

import datetime as dt

from sheet_style import mark_falls, page

# Twelve equal columns from B on; a tile takes three of them. The chart stands left, the findings right of it.
COLUMNS, TILE = 12, 3
FIRST = 1
CHART_ROW, CHART_ROWS, CHART_COLUMNS = 8, 17, 6
CHART_PIXELS = {"width": 570, "height": 425}
BELOW = CHART_ROW + CHART_ROWS + 2
WINDOW_CELLS = {"current": (f"$D${BELOW + 2}", f"$F${BELOW + 2}"), "previous": (f"$D${BELOW + 3}", f"$F${BELOW + 3}")}


def write_summary(sheet, analysis, data, style, title):
    sheet.set_column(0, 0, 2)
    sheet.set_column(FIRST, FIRST + COLUMNS - 1, 13.5)
    sheet.set_row(1, 28)
    sheet.write(1, FIRST, title, style.title())
    sheet.write(2, FIRST, subtitle(analysis), style.subtitle())
    write_tiles(sheet, analysis, data, style)
    write_findings(sheet, analysis, style)
    write_windows(sheet, analysis, style)
    write_reconciliation(sheet, analysis, data, style)
    sheet.fit_to_pages(1, 1)
    page(sheet)


def subtitle(analysis):
    span = f"{analysis['span']}  ·  " if analysis["span"] else ""
    return f"{span}{analysis['counted']:,} records  ·  figures are formulas over the Data sheet"


def write_tiles(sheet, analysis, data, style):
    for i, (label, formula, value, number_format, note) in enumerate(tiles(analysis, data)):
        left, right = FIRST + i * TILE, FIRST + i * TILE + TILE - 1
        tint = {"bg_color": style.colour("tint")}
        sheet.merge_range(4, left, 4, right, label, style.get(**tint, font_size=9, font_color=style.colour("muted"), indent=1, text_wrap=True))
        sheet.merge_range(5, left, 5, right, "", style.get(**tint))
        big = style.get(**tint, font_size=20, bold=True, font_color=style.colour("accent"), num_format=number_format, indent=1, align="left")
        sheet.write_formula(5, left, formula, big, value)
        sheet.merge_range(6, left, 6, right, note, style.get(**tint, font_size=9, font_color=style.colour("muted"), indent=1, text_wrap=True))
    mark_falls(sheet, style, 5, FIRST, 5, FIRST + COLUMNS - 1)
    sheet.set_row(4, 20)
    sheet.set_row(5, 32)
    sheet.set_row(6, 28)


def tiles(analysis, data):
    measure, rows = analysis["measure"], analysis["counted"]
    name = measure["label"] if measure["agg"] != "mean" else f"Average {measure['label']}"
    fit = measure["format"]
    result = [
        (name, data.aggregate(measure), analysis["total"], fit, "all counted records"),
        ("Records", data.count(), rows, "#,##0", f"of {analysis['quality']['rows_read']:,} rows read"),
    ]
    if measure["agg"] == "sum":
        result[0] = (f"Total {measure['label']}", *result[0][1:])
        result.append(("Average per record", data.average(measure["column"]), analysis["mean"], measure["exact_format"], "where a value is given"))
    if analysis["current"]:
        now, before = (data.aggregate(measure, data.between(analysis["time"], *WINDOW_CELLS[key])) for key in ("current", "previous"))
        formula = f"=IFERROR({now[1:]}/{before[1:]}-1,0)"
        change = analysis["now"] / analysis["before"] - 1 if analysis["before"] else 0
        result.append((f"Change to {analysis['current']['label']}", formula, change, "+0.0%;-0.0%;0.0%", f"against {analysis['previous']['label']}"))
    elif measure["agg"] != "count":
        column = data.of(measure["column"])
        result.append(("Largest value", f"=MAX({column})", analysis["largest"], measure["exact_format"], "in the Data sheet, counted or not"))
    return result[:4]


def write_findings(sheet, analysis, style):
    """Right of the chart: two rows each, as many as there is room for."""
    left, right = FIRST + CHART_COLUMNS + 1, FIRST + COLUMNS - 1
    sheet.write(CHART_ROW, left - 1, "Key findings", section(style))
    for i, item in enumerate(analysis["findings"][: (CHART_ROWS - 1) // 2]):
        row = CHART_ROW + 1 + i * 2
        sheet.merge_range(row, left - 1, row + 1, left - 1, item["key"], style.cell(bold=True, font_size=11, font_color=style.colour("accent")))
        sheet.merge_range(row, left, row + 1, right, item["headline"], style.cell(text_wrap=True))
    for row in range(CHART_ROW, CHART_ROW + CHART_ROWS):
        sheet.set_row(row, 19)


def section(style):
    return style.get(font_size=12, bold=True, font_color=style.colour("deep"))


def write_windows(sheet, analysis, style):
    """The dates the change is computed from, open to change."""
    if not analysis["current"]:
        return
    sheet.write(BELOW, FIRST, "Compared spans", section(style))
    for row, key, label in ((BELOW + 1, "current", "Current"), (BELOW + 2, "previous", "Earlier")):
        window = analysis[key]
        sheet.write(row, FIRST, label, style.cell())
        sheet.write(row, FIRST + 1, "from", style.cell(font_color=style.colour("muted"), align="right"))
        sheet.write(row, FIRST + 3, "before", style.cell(font_color=style.colour("muted"), align="right"))
        for column, edge in ((FIRST + 2, "start"), (FIRST + 4, "end")):
            date = dt.datetime.strptime(window[edge], "%Y-%m-%d")
            sheet.write_datetime(row, column, date, style.cell("d mmm yyyy", bg_color="#FFF8E1", align="center"))
    sheet.write(BELOW + 3, FIRST, "Change these dates and the figures of all sheets follow.", style.subtitle())


def write_reconciliation(sheet, analysis, data, style):
    measure = analysis["measure"]
    if measure["agg"] != "sum":
        return
    left = FIRST + CHART_COLUMNS
    sheet.write(BELOW, left, "Reconciliation", section(style))
    column, held = data.of(measure["column"]), analysis["held"]
    lines = [
        ("Counted in all figures", data.aggregate(measure), analysis["total"], style.cell),
        (f"Held out: {held['rows']:,} records", f'=SUMIFS({column},{data.of("Counted")},"No")', held["value"], style.cell),
        ("All records in the Data sheet", f"=SUM({column})", analysis["total"] + held["value"], style.total),
    ]
    for row, (label, formula, value, dress) in enumerate(lines, BELOW + 1):
        sheet.merge_range(row, left, row, left + 3, label, dress())
        sheet.merge_range(row, left + 4, row, left + 5, "", dress(measure["format"]))
        sheet.write_formula(row, left + 4, formula, dress(measure["format"]), value)
    if held["rows"]:
        sheet.write(BELOW + 4, left, f"Held out: {held['why']}. Put Yes into Counted to include one.", style.subtitle())
