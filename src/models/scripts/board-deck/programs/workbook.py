"""Writes report.xlsx from analysis.json and analysed.pkl. Each formula is stored with the value pandas computed for it.

    python3 workbook.py --out /mnt/session/outputs/report.xlsx [--title TEXT] [--accent teal]
"""

import argparse
import json
import re

import pandas as pd
import xlsxwriter

from formulas import DataRange
from palette import palette
from running import report, run
from sheet_data import shown_columns, write_data
from sheet_notes import filled_chart, write_notes, write_quality
from sheet_periods import write_periods
from sheet_segments import write_segments
from sheet_style import FONT, Style
from sheet_summary import CHART_PIXELS, CHART_ROW, write_summary

PERIODS_SHOWN_MAX = 60


def main():
    args = arguments()
    frame = pd.read_pickle("analysed.pkl")
    analysis, profile = read_json("analysis.json"), read_json("profile.json")
    complete(analysis, frame, profile)
    book = xlsxwriter.Workbook(args.out, {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True})
    book.formats[0].set_font_name(FONT)
    book.formats[0].set_font_size(10)
    book.set_calc_mode("auto")
    style = Style(book, palette(args.accent), analysis)
    tables = [table for table in analysis["tables"] if table["dimension"] in frame]
    names = sheet_names(analysis, tables)
    sheets = {name: book.add_worksheet(name) for name in names.values()}
    columns = shown_columns(frame, profile, needed(analysis, tables))
    data = DataRange(columns, len(frame))
    write_summary(sheets["Summary"], analysis, data, style, args.title or default_title(profile))
    if analysis["time"]:
        ranges = write_periods(sheets[names["period"]], analysis, data, style)
        place_trend(book, sheets["Summary"], ranges, analysis, style)
    for table in tables:
        write_segments(book, sheets[names[table["dimension"]]], table, analysis, data, style)
    filled = write_quality(book, sheets["Data quality"], analysis, profile, style)
    if not analysis["time"] and tables:
        place_first_segment(book, sheets["Summary"], names, tables[0], analysis, style)
    elif not analysis["time"]:
        chart = filled_chart(book, sheets["Data quality"], filled, style, CHART_PIXELS)
        sheets["Summary"].insert_chart(CHART_ROW, 1, chart)
    write_notes(sheets["Notes"], analysis, profile, style)
    write_data(sheets["Data"], frame, columns, profile, style)
    sheets["Summary"].activate()
    book.close()
    left_out = len(profile["columns"]) + 2 - len(columns)
    print(f"report.xlsx: {len(sheets)} sheets, {len(frame):,} records" + (f"; {left_out} columns left out for size" if left_out else ""))
    report({"sheets": list(sheets), "records": len(frame), "columns_left_out": left_out})


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--title")
    parser.add_argument("--accent", default="teal")
    return parser.parse_args()


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def complete(analysis, frame, profile):
    """Values that only formulas of the workbook need."""
    measure = analysis["measure"]
    counted = frame[frame["Counted"] == "Yes"]
    kinds = {column["name"]: column.get("kind") for column in profile["columns"]}
    analysis["rate_kinds"] = {name: kinds[name] for name in analysis["rates"]}
    if measure["column"]:
        analysis["mean"] = number(counted[measure["column"]].mean())
        analysis["largest"] = number(frame[measure["column"]].max())
    analysis["value_width"] = max(16, len(f"{abs(analysis['total']):,.0f}") + 4)
    analysis["axis_format"] = axis_format(measure, [row["total"] for table in analysis["tables"] for row in table["rows"]])
    if not analysis["time"]:
        return
    time = counted[analysis["time"]]
    for row in analysis["periods"]:
        inside = counted[(time >= row["start"]) & (time < row["end"])]
        means = {name: inside[name].mean() for name in analysis["rates"]}
        row["rates"] = {name: "" if pd.isna(mean) else float(mean) for name, mean in means.items()}
    for key, window in (("now", analysis["current"]), ("before", analysis["previous"])):
        if window:
            inside = counted[(time >= window["start"]) & (time < window["end"])]
            analysis[key] = aggregate(inside, measure)


def aggregate(frame, measure):
    if measure["agg"] == "count":
        return float(len(frame))
    values = frame[measure["column"]]
    return number(values.mean() if measure["agg"] == "mean" else values.sum())


def number(value):
    return 0.0 if pd.isna(value) else float(value)


def axis_format(measure, values):
    if measure["kind"] == "percent":
        return "0%"
    largest = max((abs(value) for value in values), default=0)
    if largest >= 2e6:
        return '#,##0.0,,"M"'
    return '#,##0,"k"' if largest >= 2e4 else "#,##0" if largest >= 20 else "0.0"


def needed(analysis, tables):
    return {analysis["measure"]["column"], analysis["time"], *analysis["rates"], *(table["dimension"] for table in tables)}


def sheet_names(analysis, tables):
    """Unique, at most 31 characters, without what a sheet name must not hold."""
    names, taken = {"summary": "Summary"}, {"summary", "data", "notes", "data quality", "history"}
    wanted = [("period", f"By {analysis['grain']}")] if analysis["time"] else []
    wanted += [(table["dimension"], f"By {table['dimension']}") for table in tables]
    for key, name in wanted:
        name = re.sub(r"[\[\]:*?/\\']", " ", name)
        base = re.sub(r"\s+", " ", name).strip()[:28]
        candidate, n = base, 2
        while candidate.casefold() in taken:
            candidate, n = f"{base} {n}", n + 1
        taken.add(candidate.casefold())
        names[key] = candidate
    return names | {"quality": "Data quality", "notes": "Notes", "data": "Data"}


def default_title(profile):
    stem = re.sub(r"\.[^.]*$", "", profile["file"].split("/")[-1])
    words = re.sub(r"[_\-\s]+", " ", stem).strip() or "Report"
    return words[:1].upper() + words[1:60]


def place_trend(book, summary, ranges, analysis, style):
    measure = analysis["measure"]
    shown = analysis["periods"][-PERIODS_SHOWN_MAX:]
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {
            "name": measure["label"],
            "categories": ranges[0],
            "values": ranges[1],
            "fill": {"color": style.colour("accent")},
            "gap": 45,
        }
    )
    label = f"Average {measure['label']}" if measure["agg"] == "mean" else measure["label"]
    style.dress(chart, f"{label} by {analysis['grain']}", analysis["grain"].title(), label, axis_format(measure, [row["value"] for row in shown]))
    chart.set_size(CHART_PIXELS)
    summary.insert_chart(CHART_ROW, 1, chart)


def place_first_segment(book, summary, names, table, analysis, style):
    measure = analysis["measure"]
    name, shown = names[table["dimension"]], min(12, len(table["rows"]))
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {
            "name": measure["label"],
            "categories": [name, 4, 1, 3 + shown, 1],
            "values": [name, 4, 3, 3 + shown, 3],
            "fill": {"color": style.colour("accent")},
            "gap": 45,
        }
    )
    style.dress(chart, f"{measure['label']} by {table['dimension']}", table["dimension"], measure["label"], analysis["axis_format"])
    chart.set_size(CHART_PIXELS)
    summary.insert_chart(CHART_ROW, 1, chart)


if __name__ == "__main__":
    run(main)
