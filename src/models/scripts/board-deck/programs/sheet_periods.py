"""The development over time: one row a period, all of it formulas."""

import datetime as dt

from sheet_style import mark_falls, page

TOP = 4
YEAR_BACK = {"month": 12, "quarter": 4, "week": 52}
CHANGE = "+0.0%;-0.0%;0.0%"


def write_periods(sheet, analysis, data, style):
    """Returns the cell ranges (labels, values) that charts draw from."""
    rows, measure, grain = analysis["periods"], analysis["measure"], analysis["grain"]
    back = YEAR_BACK.get(grain, 0) if len(rows) > YEAR_BACK.get(grain, len(rows)) else 0
    columns = headings(analysis, back)
    sheet.set_column(0, 0, 2)
    sheet.write(1, 1, f"{measure['label']} by {grain}", style.title())
    sheet.set_row(1, 28)
    partial = f"  ·  the last {grain} is incomplete" if analysis["partial"] else ""
    sheet.write(2, 1, f"Formulas over the Data sheet{partial}", style.subtitle())
    sheet.set_row(TOP - 1, 32)
    for i, (label, width) in enumerate(columns, 1):
        sheet.set_column(i, i, width)
        sheet.write(TOP - 1, i, label, style.header(align="left" if i == 1 else "right"))
    for i, row in enumerate(rows):
        write_row(sheet, TOP + i, i, rows, row, analysis, data, style, back)
    last = TOP + len(rows) - 1
    mark_falls(sheet, style, TOP, 6, last, 7 if back else 6)
    write_total(sheet, last + 1, analysis, data, style)
    sheet.freeze_panes(TOP, 2)
    sheet.repeat_rows(TOP - 1)
    sheet.fit_to_pages(1, 0)
    page(sheet)
    name = sheet.get_name().replace("'", "''")
    return f"='{name}'!$B${TOP + 1}:$B${last + 1}", f"='{name}'!$F${TOP + 1}:$F${last + 1}"


def headings(analysis, back):
    measure, grain = analysis["measure"], analysis["grain"]
    value = f"Average {measure['label']}" if measure["agg"] == "mean" else measure["label"]
    result = [(grain.title(), 13), ("From", 12), ("Before", 12), ("Records", 10), (value, analysis["value_width"]), (f"vs {grain} before", 12)]
    if back:
        result.append(("vs a year earlier", 12))
    return result + [(f"Average {name}", 13) for name in analysis["rates"]]


def write_row(sheet, at, i, rows, row, analysis, data, style, back):
    measure, n = analysis["measure"], at + 1
    sheet.write_string(at, 1, row["label"], style.cell(bold=True))
    for column, key in ((2, "start"), (3, "end")):
        sheet.write_datetime(at, column, dt.datetime.strptime(row[key], "%Y-%m-%d"), style.cell("yyyy-mm-dd", font_color=style.colour("muted")))
    inside = data.between(analysis["time"], f"$C{n}", f"$D{n}")
    sheet.write_formula(at, 4, data.count(inside), style.cell("#,##0"), row["count"])
    sheet.write_formula(at, 5, data.aggregate(measure, inside), style.cell(measure["format"]), row["value"])
    write_change(sheet, at, 6, i, 1, rows, style)
    if back:
        write_change(sheet, at, 7, i, back, rows, style)
    first_rate = 8 if back else 7
    for k, name in enumerate(analysis["rates"]):
        kind = analysis["rate_kinds"][name]
        sheet.write_formula(at, first_rate + k, data.average(name, inside, empty='""'), style.cell("0.0%" if kind == "percent" else "#,##0.00"), row["rates"][name])  # fmt: skip


def write_change(sheet, at, column, i, back, rows, style):
    if i < back:
        sheet.write_string(at, column, "", style.cell())
        return
    before = rows[i - back]["value"]
    change = rows[i]["value"] / before - 1 if before else ""
    sheet.write_formula(at, column, f'=IFERROR($F{at + 1}/$F{at + 1 - back}-1,"")', style.cell(CHANGE), change)


def write_total(sheet, at, analysis, data, style):
    measure, undated = analysis["measure"], analysis["undated"]
    if not measure["agg"] == "mean" and undated["count"]:
        sheet.write_string(at, 1, "No usable date", style.cell(font_color=style.colour("muted")))
        sheet.write_string(at, 2, "", style.cell())
        sheet.write_string(at, 3, "", style.cell())
        span = f"{TOP + 1}:E{at}"
        sheet.write_formula(at, 4, f"={data.count()[1:]}-SUM(E{span})", style.cell("#,##0"), undated["count"])
        sheet.write_formula(at, 5, f"={data.aggregate(measure)[1:]}-SUM(F{TOP + 1}:F{at})", style.cell(measure["format"]), undated["value"])
        at += 1
    for column in (2, 3, 6):
        sheet.write_string(at, column, "", style.total())
    sheet.write_string(at, 1, "Total" if measure["agg"] != "mean" else "Overall", style.total())
    sheet.write_formula(at, 4, data.count(), style.total("#,##0"), analysis["counted"])
    sheet.write_formula(at, 5, data.aggregate(measure), style.total(measure["format"]), analysis["total"])
