"""Findings about the measure itself. Each is worth one slide: a claim, the figure that carries it, reasons, a chart.

A finding is a dict: id, kicker, headline, key, key_label, points, chart, advice (or None). Every function here returns
None, or an empty list, when the data does not carry the claim.
"""

import numpy as np
import pandas as pd

from measure import inner, percent, points, times_or_percent
from periods import axis_labels
from segments import movement, real, sizeable

FLAT = 0.015
# From this share of the whole on, one segment is a matter for the board.
WEIGHTY = 0.3


def finding(id, kicker, headline, key, key_label, points, chart, advice=None):
    return {
        "id": id,
        "kicker": kicker,
        "headline": headline[:1].upper() + headline[1:],
        "key": key,
        "key_label": key_label,
        "points": [point[:1].upper() + point[1:] for point in points if point],
        "chart": chart,
        "advice": advice,
    }


def chart(kind, categories, values, name, axis, highlight=(), series=None):
    divisor, title, number_format = axis
    scaled = [round(value / divisor, 6) for value in values]
    return {
        "kind": kind,
        "categories": [str(category) for category in categories],
        "series": series or [{"name": name, "values": scaled}],
        "axis": title,
        "format": number_format,
        "highlight": list(highlight),
    }


def trend(frame, measure, calendar, period_rows):
    if not calendar:
        return None
    values = [row["value"] for row in period_rows]
    labels = axis_labels(calendar.periods, calendar.grain)
    complete = period_rows[:-1] if calendar.partial else period_rows
    high, low = max(complete, key=lambda row: row["value"]), min(complete, key=lambda row: row["value"])
    current, previous = calendar.current, calendar.previous
    now, before = measure.of(current.of(frame, calendar.time)), measure.of(previous.of(frame, calendar.time))
    change = (now - before) / abs(before) if before else None
    inside = [i for i, period in enumerate(calendar.periods) if current.start <= period.start_time < current.end]
    return finding(
        "trend",
        "Development",
        trend_headline(measure, now, change, current),
        times_or_percent(change) if change is not None else measure.text(now),
        f"{measure.label} against {previous.label}",
        [
            f"{measure.text(now)} in {current.label}, after {measure.text(before)} in {previous.label}.",
            f"Strongest {calendar.grain}: {high['label']} with {measure.text(high['value'])}; weakest: {low['label']} with {measure.text(low['value'])}.",
            f"The last {calendar.grain}, {period_rows[-1]['label']}, is incomplete and not compared." if calendar.partial else None,
        ],
        chart("column", labels, values, measure.label, measure.axis(values), inside),
        trend_advice(measure, change),
    )


def trend_headline(measure, now, change, window):
    name = measure.named[:1].upper() + measure.named[1:]
    if change is None:
        return f"{name} reached {measure.text(now)} in {window.label}"
    if abs(change) < FLAT:
        return f"{name} held steady at {measure.text(now)} in {window.label}"
    verb = "rose" if change > 0 else "fell"
    size = f"{1 + change:.1f}-fold" if change >= 1 else percent(abs(change))
    return f"{name} {verb} {size} to {measure.text(now)} in {window.label}"


def trend_advice(measure, change):
    if change is not None and change < -2 * FLAT and measure.adds_up:
        return f"Agree a recovery plan for {measure.named}: the fall of {percent(abs(change))} is the figure to reverse first."
    if change is not None and change > 2 * FLAT and measure.agg == "sum":
        return f"Separate price from volume before the growth of {percent(change)} goes into a plan."
    return None


def movers(tables, measure, calendar, total_change):
    """The largest fall and the largest rise, each from the dimension that shows it most clearly."""
    if not calendar or not calendar.current or not tables:
        return []
    if not measure.adds_up:
        return []
    moves = [(row, table) for table in tables for row in real(table) if row["n_current"] + row["n_previous"] >= 10]
    falls, rises = [m for m in moves if m[0]["change"] < 0], [m for m in moves if m[0]["change"] > 0]
    picked, used = [], set()
    for kind, pool in (("decline", falls), ("growth", rises)):
        pool = [m for m in pool if m[1]["dimension"] not in used and noticeable(m[0], m[1])]
        if pool:
            row, table = max(pool, key=lambda m: abs(m[0]["change"]) * clarity(m[0], m[1]))
            used.add(table["dimension"])
            picked.append(mover(kind, row, table, measure, calendar, total_change))
    return picked


def noticeable(row, table):
    base = sum(r["previous"] for r in real(table))
    return base > 0 and abs(row["change"]) > base * 0.015


def clarity(row, table):
    """Prefers a segment that moves against its peers to one that merely moves with the total."""
    base = sum(r["previous"] for r in real(table)) or 1
    usual = sum(r["change"] for r in real(table)) / base
    own = row["change"] / row["previous"] if row["previous"] > 0 else 1
    return min(1.0, abs(own - usual)) + 0.1


def mover(kind, row, table, measure, calendar, total_change):
    rows = sorted(real(table), key=lambda r: r["change"], reverse=True)[:12]
    values, dimension = [r["change"] for r in rows], table["dimension"]
    axis = measure.axis(values)
    axis = (axis[0], f"Change in {inner(axis[1]) if axis[1] else measure.named}", axis[2])
    up = kind == "growth"
    share = row["change_pct"]
    size = "" if share is None else f" ({times_or_percent(share)})"
    others = sum(r["change"] for r in real(table) if r is not row)
    verb = "added" if up else "lost"
    return finding(
        kind,
        f"{'Growth' if up else 'Decline'} by {inner(dimension)}",
        f"{row['value']} {verb} {measure.text(abs(row['change']))}{size}, the largest {'gain' if up else 'fall'} by {inner(dimension)}",
        times_or_percent(share) if share is not None else measure.text(row["change"]),
        f"{row['value']} against {calendar.previous.label}",
        [
            f"{row['value']} went from {measure.text(row['previous'])} to {measure.text(row['current'])}.",
            f"All others by {inner(dimension)} together {'gained' if others >= 0 else 'lost'} {measure.text(abs(others))}.",
            offset(up, row, total_change, measure),
        ],
        chart("bar", [r["value"] for r in rows], values, "Change", axis, [rows.index(row)] if row in rows else []),
        f"Find out what carries {row['value']} and whether it can be repeated elsewhere."
        if up
        else f"Review {row['value']}: find the cause of the {percent(abs(share))} fall and decide whether to defend or resize."
        if share is not None
        else None,
    )


def offset(up, row, total_change, measure):
    if total_change and not up and total_change > 0:
        return f"Without it, {measure.named} would have grown by {measure.text(total_change - row['change'])} instead of {measure.text(total_change)}."
    if total_change and up and 0 < row["change"] < total_change:
        return f"That is {percent(row['change'] / total_change)} of the whole increase."
    if total_change and up and total_change < 0:
        return f"It softened a fall of {measure.text(abs(total_change))} overall."
    return None


def ranking(tables, measure, whole, used):
    """Who leads. Prefers a dimension no other finding shows."""
    usable = [table for table in tables if len(real(table)) >= 2]
    if not usable or (measure.adds_up and whole <= 0):
        return None
    fresh = [table for table in usable if table["dimension"] not in used] or usable
    table = next((table for table in fresh if 3 <= len(real(table)) <= 12), fresh[0])
    return rank_sums(table, measure, whole) if measure.adds_up else None


def rank_sums(table, measure, whole):
    rows, dimension = real(table), inner(table["dimension"])
    first, last = rows[0], rows[-1]
    top = rows[: min(3, max(1, len(rows) - 1))]
    share = sum(row["total"] for row in top) / whole
    shown = rows[:12]
    return finding(
        "ranking",
        f"{measure.label} by {dimension}",
        f"{first['value']} leads with {percent(first['total'] / whole)} of all {plain(measure)}",
        percent(first["total"] / whole),
        f"of {plain(measure)} in {first['value']}",
        [
            f"{first['value']} stands at {measure.text(first['total'])}; {last['value']} is smallest with {measure.text(last['total'])}.",
            f"The first {len(top)} of {len(rows) + table['beyond']} hold {percent(share)}." if len(top) > 1 else None,
            f"A change of 10% in {first['value']} moves the whole by {percent(first['total'] / whole * 0.1)}.",
        ],
        chart("bar", [row["value"] for row in shown], [row["total"] for row in shown], measure.label, measure.axis([row["total"] for row in shown]), [0]),  # fmt: skip
        f"Decide whether so much weight on {first['value']} is wanted." if first["total"] / whole >= WEIGHTY else None,
    )


def plain(measure):
    return inner(measure.label)


def comparison(tables, measure, rows_total, overall):
    """For a measure that is averaged: which segment is high, which is low."""
    if measure.adds_up:
        return None
    best = None
    for table in tables:
        rows = sorted(sizeable(table, rows_total), key=lambda row: -row["total"])
        if len(rows) >= 2:
            spread = rows[0]["total"] - rows[-1]["total"]
            if best is None or spread > best[0]:
                best = (spread, rows, table["dimension"])
    if best is None or best[0] <= 0:
        return None
    spread, rows, dimension = best
    high, low, shown = rows[0], rows[-1], rows[:12]
    return finding(
        "comparison",
        f"{measure.label} by {inner(dimension)}",
        f"{high['value']} has the highest {measure.named}, {measure.text(high['total'])}; {low['value']} the lowest, {measure.text(low['total'])}",
        measure.text(spread),
        f"between {high['value']} and {low['value']}",
        [
            f"The average over all records is {measure.text(overall)}.",
            f"{high['value']}: {high['count']:,} records; {low['value']}: {low['count']:,}.",
            "Averages of few records move easily: read small groups with care." if low["count"] < 30 else None,
        ],
        chart("bar", [row["value"] for row in shown], [row["total"] for row in shown], measure.label, measure.axis([row["total"] for row in shown]), [0, len(shown) - 1]),  # fmt: skip
        f"Look into what {high['value']} does differently from {low['value']}.",
    )


def season(measure, calendar, period_rows):
    if not calendar or calendar.grain != "month" or not measure.adds_up:
        return None
    complete = period_rows[:-1] if calendar.partial else period_rows
    if len(complete) < 12:
        return None
    by_month = {}
    for row in complete:
        by_month.setdefault(pd.Timestamp(row["start"]).strftime("%B"), []).append(row["value"])
    means = {month: float(np.mean(values)) for month, values in by_month.items()}
    average = float(np.mean(list(means.values())))
    high, low = max(means, key=means.get), min(means, key=means.get)
    if average <= 0 or means[high] - means[low] < 0.3 * average:
        return None
    order = [month for month in pd.date_range("2024-01-01", periods=12, freq="MS").strftime("%B") if month in means]
    values = [means[month] / average - 1 for month in order]
    return finding(
        "season",
        "Season",
        f"{high} runs {percent(means[high] / average - 1)} above an average month, {low} {percent(1 - means[low] / average)} below",
        percent(means[high] / average - 1, signed=True),
        f"{high} against the average month",
        [
            f"An average month brings {measure.text(average)}; {high} {measure.text(means[high])}, {low} {measure.text(means[low])}.",
            f"Based on {len(complete)} months: {sum(1 for v in by_month.values() if len(v) > 1)} calendar months were seen more than once.",
        ],
        chart("column", [month[:3] for month in order], values, "Against the average month", (1, "Against the average month", "0%"), [order.index(high), order.index(low)]),  # fmt: skip
        f"Plan stock and staff for {high} and use {low} for upkeep and training.",
    )


def mix_shift(tables, measure, calendar, used):
    if not calendar or not calendar.current or not measure.adds_up:
        return None
    best = None
    for table in tables:
        rows = real(table)
        now, before = sum(r["current"] for r in rows), sum(r["previous"] for r in rows)
        if table["dimension"] in used or now <= 0 or before <= 0 or len(rows) < 2:
            continue
        for row in rows:
            shift = row["current"] / now - row["previous"] / before
            if best is None or abs(shift) > abs(best[0]):
                best = (shift, row, rows, table["dimension"], now, before)
    if best is None or abs(best[0]) < 0.02 or movement(next(t for t in tables if t["dimension"] == best[3])) <= 0:
        return None
    shift, row, rows, dimension, now, before = best
    shown = sorted(rows, key=lambda r: -r["current"])[:8]
    series = [
        {"name": window.label, "values": [round(r[key] / whole, 6) for r in shown]}
        for window, key, whole in ((calendar.previous, "previous", before), (calendar.current, "current", now))
    ]
    return finding(
        "mix",
        f"Mix by {inner(dimension)}",
        f"The mix moved {'towards' if shift > 0 else 'away from'} {row['value']}: {percent(row['previous'] / before)} to {percent(row['current'] / now)} of {plain(measure)}",
        points(shift),
        f"share of {row['value']} against {calendar.previous.label}",
        [f"{row['value']} went from {measure.text(row['previous'])} to {measure.text(row['current'])}."],
        chart("column", [r["value"] for r in shown], [], "", (1, f"Share of {plain(measure)}", "0%"), [], series),
    )
