"""Computes every figure that the workbook and the slides show, from clean.pkl.

    python3 analyse.py [--measure NAME] [--time NAME] [--dimension NAME]... [--grain month] [--focus COLUMN=VALUE]

writes analysis.json and analysed.pkl, prints the findings.
"""

import argparse
import json

import pandas as pd

import distributions
import findings as of_measure
import relations
from consistency import mark_counted
from focus import focus_finding
from measure import inner, measure_of, percent, records
from periods import GRAINS, day, make_calendar
from running import report, run
from segments import movement, segment_table

DIMENSIONS_MAX = 5
FINDINGS_MAX = 8
CHARTS_MIN = 2


def main():
    args = arguments()
    frame = pd.read_pickle("clean.pkl")
    profile, quality = read_json("profile.json"), read_json("quality.json")
    columns = {column["name"]: column for column in profile["columns"]}
    roles = profile["roles"]
    measure = choose_measure(args.measure, roles, columns)
    time = args.time or next(iter(roles["times"]), None)
    dimensions = (args.dimension or roles["dimensions"])[:DIMENSIONS_MAX]
    numeric = [name for name in columns if columns[name]["type"] == "number"]
    held = mark_counted(frame, measure, numeric)
    counted = frame[frame["Counted"] == "Yes"].copy()
    calendar = make_calendar(counted, time, args.grain) if time else None
    tables = sorted((segment_table(counted, name, measure, calendar) for name in dimensions), key=movement, reverse=True)
    period_rows = period_table(counted, measure, calendar)
    found = find(counted, measure, calendar, tables, period_rows, profile, columns, args.focus)
    analysis = {
        "measure": measure.data() | {"named": measure.named, "format": measure.cell_format(), "exact_format": measure.cell_format(exact=True)},
        "time": time if calendar else None,
        "grain": calendar.grain if calendar else None,
        "partial": bool(calendar and calendar.partial),
        "current": calendar.current.data() if calendar and calendar.current else None,
        "previous": calendar.previous.data() if calendar and calendar.previous else None,
        "against": calendar.against if calendar else "",
        "rows": len(frame),
        "counted": len(counted),
        "held": held | {"text": measure.text(held["value"])},
        "total": measure.of(counted),
        "total_text": measure.text(measure.of(counted)),
        "undated": undated(counted, calendar, measure),
        "rates": [name for name in roles["rates"] if name != measure.column][:3],
        "periods": period_rows,
        "tables": [table for table in tables if len(table["rows"]) > 0],
        "findings": found,
        "advice": advice(found, held, quality, bool(calendar), measure.column is not None),
        "quality": quality,
        "dates": [day(counted[time].min()), day(counted[time].max())] if calendar else None,
        "span": f"{calendar.label(calendar.periods[0])} – {calendar.label(calendar.periods[-1])}" if calendar else None,
    }
    frame.to_pickle("analysed.pkl")
    with open("analysis.json", "w", encoding="utf-8") as file:
        json.dump(analysis, file, ensure_ascii=False)
    print_summary(analysis, measure)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure")
    parser.add_argument("--time")
    parser.add_argument("--dimension", action="append")
    parser.add_argument("--grain", choices=GRAINS)
    parser.add_argument("--focus")
    return parser.parse_args()


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def choose_measure(wanted, roles, columns):
    name = wanted or next(iter(roles["measures"]), None)
    return measure_of(columns[name]) if name and name in columns and columns[name]["type"] == "number" else records()


def period_table(frame, measure, calendar):
    if not calendar:
        return []
    index = calendar.index_of(frame[calendar.time])
    totals, counts = measure.grouped(frame, index), frame.groupby(index).size()
    rows = []
    for i, period in enumerate(calendar.periods):
        rows.append(
            {
                "label": calendar.label(period),
                "start": day(period.start_time),
                "end": day(period.end_time.normalize() + pd.Timedelta(days=1)),
                "value": float(totals.get(period, 0.0)),
                "count": int(counts.get(period, 0)),
            }
        )
    return rows


def undated(frame, calendar, measure):
    """Records that no period holds, so that the periods can be reconciled with the total."""
    if not calendar:
        return None
    start, end = calendar.periods[0].start_time, calendar.periods[-1].end_time
    outside = frame[~frame[calendar.time].between(start, end)]
    return {"count": len(outside), "value": measure.of(outside) if len(outside) else 0.0}


def find(frame, measure, calendar, tables, period_rows, profile, columns, focus):
    roles = profile["roles"]
    change = None
    if calendar and calendar.current and measure.adds_up:
        change = measure.of(calendar.current.of(frame, calendar.time)) - measure.of(calendar.previous.of(frame, calendar.time))
    found = [focus_finding(frame, focus, measure, calendar), of_measure.trend(frame, measure, calendar, period_rows)]
    # What is in focus already has a slide of its own.
    focused = (focus or "").partition("=")[2]
    moved = [item for item in of_measure.movers(tables, measure, calendar, change) if not focused or not item["headline"].startswith(f"{focused} ")]
    used = {item["kicker"].split(" by ")[-1].casefold() for item in moved}
    shown = {table["dimension"] for table in tables if table["dimension"].casefold() in used}
    parts = [name for name in roles["measures"] if name != measure.column]
    rates = [name for name in roles["rates"] if name != measure.column][:4]
    kinds = {name: columns[name]["kind"] for name in columns if columns[name]["type"] == "number"}
    ratio = relations.ratio_column(frame, measure, [name for name in parts if name not in rates], kinds)
    if ratio:
        columns = columns | {ratio: {"kind": "percent", "currency": "", "unit": ""}}
        kinds[ratio] = "percent"
        rates = [ratio, *rates]
    slips = relations.slipping_rates(frame, rates, [table["dimension"] for table in tables], calendar, columns)[:2]
    numeric = rates + [name for name in parts if name not in rates][:4] + ([measure.column] if measure.column else [])
    tied = {frozenset((a, b)) for a in numeric for b in numeric if not rates or (a not in rates and b not in rates)}
    found += [
        *moved,
        *slips,
        of_measure.ranking(tables, measure, measure.of(frame), shown),
        of_measure.comparison(tables, measure, len(frame), measure.of(frame)),
        relations.dependence(frame, roles["entities"], measure),
        of_measure.mix_shift(tables, measure, calendar, shown),
        relations.moving_together(frame, numeric, kinds, tied),
        of_measure.season(measure, calendar, period_rows),
    ]
    found = [item for item in found if item][:FINDINGS_MAX]
    return fill_up(found, frame, measure, tables, profile)


def fill_up(found, frame, measure, tables, profile):
    """Where time and segments carry little, describe the values themselves."""
    if len(found) < 4:
        found = found + [item for item in [distributions.spread(frame, measure)] if item]
    ranked = {item["kicker"] for item in found}
    for table in tables[:3]:
        shown = any(kicker.endswith(f"by {inner(table['dimension'])}") for kicker in ranked)
        if len(found) < 4 and not (shown and measure.column is None):
            found = found + [item for item in [distributions.common_values(frame, table["dimension"])] if item]
    others = [c["name"] for c in profile["columns"] if c["type"] != "empty" and c["filled"]]
    for name in others:
        if len(found) < CHARTS_MIN and not any(item["kicker"] == name for item in found):
            found = found + [item for item in [distributions.common_values(frame, name)] if item]
    return found if len(found) >= CHARTS_MIN else [*found, distributions.completeness(profile)]


def advice(found, held, quality, calendar_found, measured):
    lines = [item["advice"] for item in found if item["advice"]][:4]
    if held["rows"]:
        lines.append(f"Check the {held['rows']:,} records held out of the figures before the numbers are published.")
    worst = max((issue for issue in quality["issues"] if issue["what"] == "Missing"), key=lambda issue: issue["count"], default=None)
    if worst and len(lines) < 5:
        lines.append(f"Make {worst['column']} mandatory at entry: it is missing in {percent(worst['count'] / quality['rows_read'])} of rows.")
    if not calendar_found or not measured:
        lines.append(f"Add {' and '.join(missing_parts(calendar_found, measured))} to each record: then more than a snapshot can be shown.")
    if held["rows"] + len(lines) == 0:
        lines.append("Confirm the findings with whoever knows the data before acting on them.")
    return lines[:5]


def missing_parts(dated, measured):
    return [part for part, there in (("a date", dated), ("an amount", measured)) if not there]


def print_summary(analysis, measure):
    print(f"Measure: {measure.named}; {analysis['counted']:,} records counted, {measure.label}: {analysis['total_text']}")
    for item in analysis["findings"]:
        print(f"- {item['headline']}")
    report(
        {
            "measure": measure.label,
            "total": analysis["total_text"],
            "records": analysis["counted"],
            "span": analysis["span"],
            "held": analysis["held"],
            "rows_read": analysis["quality"]["rows_read"],
            "findings": [{"id": f["id"], "headline": f["headline"], "text": f["points"][0] if f["points"] else ""} for f in analysis["findings"]],
            "advice": analysis["advice"],
        }
    )


if __name__ == "__main__":
    run(main)
