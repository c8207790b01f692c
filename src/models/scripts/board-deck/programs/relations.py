"""Findings about other columns than the measure: rates that slip, who the business hangs on, what moves together."""

import numpy as np
import pandas as pd

from findings import chart, finding
from measure import Measure, inner, percent, points, times_or_percent
from periods import axis_labels
from segments import concentration

RECORDS_MIN = 30
# A change in an average counts as a finding from this many standard errors on.
STANDARD_ERRORS = 5
CORRELATION_MIN = 0.25


def slipping_rates(frame, rates, dimensions, calendar, columns):
    """Averages that changed most, each with the segment where it happened. The clearest first."""
    if not calendar or not calendar.current:
        return []
    found = []
    for name in rates:
        slip = slip_of(frame, name, calendar)
        if slip:
            measure = Measure(name, name, "mean", columns[name]["kind"], columns[name]["currency"], columns[name]["unit"])
            found.append((slip["strength"], slipping(frame, measure, slip, dimensions, calendar)))
    return [item for _, item in sorted(found, key=lambda pair: -pair[0])]


def slip_of(frame, name, calendar):
    now, before = (window.of(frame, calendar.time)[name].dropna() for window in (calendar.current, calendar.previous))
    if len(now) < RECORDS_MIN or len(before) < RECORDS_MIN:
        return None
    error = np.sqrt(now.var() / len(now) + before.var() / len(before))
    change = now.mean() - before.mean()
    base = abs(before.mean())
    if not error or abs(change) / error < STANDARD_ERRORS or not base or abs(change) / base < 0.06:
        return None
    return {"now": now.mean(), "before": before.mean(), "strength": abs(change) / error}


def slipping(frame, measure, slip, dimensions, calendar):
    name, now, before = measure.column, slip["now"], slip["before"]
    values = frame.groupby(calendar.index_of(frame[calendar.time]))[name].mean().reindex(calendar.periods)
    labels = axis_labels(calendar.periods, calendar.grain)
    series_values = [None if pd.isna(value) else round(float(value), 6) for value in values]
    worst = hot_spot(frame, name, dimensions, calendar)
    series = [{"name": "All records", "values": series_values}]
    if worst:
        part = frame[frame[worst["dimension"]] == worst["value"]]
        inside = part.groupby(calendar.index_of(part[calendar.time]))[name].mean().reindex(calendar.periods)
        series.append({"name": worst["value"], "values": [None if pd.isna(value) else round(float(value), 6) for value in inside]})
    verb = "rose" if now > before else "fell"
    where = f", driven by {worst['value']}" if worst else ""
    title = measure.named[:1].upper() + measure.named[1:]
    percentage = measure.kind == "percent"
    return finding(
        f"rate:{name}",
        name,
        f"{title} {verb} from {measure.text(before)} to {measure.text(now)}{where}",
        points(now - before) if percentage else times_or_percent((now - before) / abs(before)),
        f"{measure.named} against {calendar.previous.label}",
        [
            f"In {worst['value']} ({inner(worst['dimension'])}) it went from {measure.text(worst['before'])} to {measure.text(worst['now'])}." if worst else None,  # fmt: skip
            elsewhere(measure, worst["rest_before"], worst["rest_now"]) if worst else None,
        ],
        chart("line", labels, [], "", (1, title, "0%" if percentage else "#,##0" if now >= 20 else "0.0"), [], series),
        f"Set a limit for {inner(name)} in {worst['value']} and report it every {calendar.grain}." if worst else None,
    )


def elsewhere(measure, before, now):
    before, now = measure.text(before), measure.text(now)
    return f"Elsewhere it stayed at {now}." if before == now else f"Elsewhere it went from {before} to {now}."


def hot_spot(frame, name, dimensions, calendar):
    """The segment whose own change explains most of the overall change, if one stands out."""
    now, before = (window.of(frame, calendar.time) for window in (calendar.current, calendar.previous))
    overall = now[name].mean() - before[name].mean()
    best = None
    for dimension in dimensions:
        for value, part in now.groupby(dimension):
            then = before[before[dimension] == value][name].dropna()
            mine = part[name].dropna()
            if value == "(blank)" or len(mine) < RECORDS_MIN or len(then) < RECORDS_MIN:
                continue
            change = mine.mean() - then.mean()
            explained = change * len(mine) / max(1, now[name].count()) / overall
            if abs(change) > 1.6 * abs(overall) and explained > 0.5 and (best is None or explained > best["explained"]):
                rest_now, rest_before = now[now[dimension] != value][name].mean(), before[before[dimension] != value][name].mean()
                best = {
                    "dimension": dimension,
                    "value": value,
                    "now": mine.mean(),
                    "before": then.mean(),
                    "rest_now": rest_now,
                    "rest_before": rest_before,
                    "explained": explained,
                }
    return best


def ratio_column(frame, measure, candidates, kinds):
    """Adds part ÷ whole, such as margin ÷ revenue, for the first column that is nearly always a part of the measure."""
    if measure.agg != "sum":
        return None
    for name in candidates:
        if kinds[name] != measure.kind or measure.kind not in ("currency", "decimal"):
            continue
        both = frame[[measure.column, name]].dropna()
        both = both[both[measure.column] > 0]
        if len(both) < RECORDS_MIN * 2:
            continue
        ratio = both[name] / both[measure.column]
        if ((ratio < 1.0) & (ratio > -1)).mean() > 0.95 and 0.03 < ratio.median() < 0.9 and ratio.std() > 0.01:
            label = f"{name} as % of {inner(measure.label)}"
            frame[label] = (frame[name] / frame[measure.column].where(frame[measure.column] > 0)).where(lambda r: r.abs() < 2)
            return label
    return None


def dependence(frame, entities, measure):
    """How much hangs on the largest tenth, for the entity where it is most."""
    if not measure.adds_up:
        return None
    found = [result for entity in entities if (result := concentration(frame, entity, measure))]
    result = max(found, key=lambda item: item["share"], default=None)
    if result is None or result["share"] < 0.25:
        return None
    name = inner(result["entity"])
    tenths = [max(1, round(result["entities"] * i / 10)) for i in range(1, 11)]
    values = [result["cumulative"][n - 1] for n in tenths]
    return finding(
        "dependence",
        "Concentration",
        f"The top tenth by {name} ({result['top']:,} of {result['entities']:,}) brings {percent(result['share'])} of {inner(measure.label)}",
        percent(result["share"]),
        f"of {inner(measure.label)} from the top tenth by {name}",
        [
            f"Half of all {inner(measure.label)} comes from {result['half']:,} of {result['entities']:,}.",
            f"The lower half together adds {percent(1 - values[4])}.",
        ],
        chart("column", [f"{i * 10}%" for i in range(1, 11)], values, "Cumulative share", (1, f"Cumulative share of {inner(measure.label)}", "0%"), [0]) | {"category_axis": f"{name}, largest first, by tenths"},  # fmt: skip
        f"Name an owner for each of the top {result['top']:,} by {name}: losing a few would show in the total.",
    )


def moving_together(frame, names, kinds, grounds):
    """The strongest rank correlation among pairs not tied by arithmetic, shown by quintile."""
    best = None
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            both = frame[[a, b]].dropna()
            if len(both) < 50 or both[a].nunique() < 5 or both[b].nunique() < 5 or frozenset((a, b)) in grounds:
                continue
            r = both.corr(method="pearson" if len(both) > 50_000 else "spearman").iloc[0, 1]
            if pd.notna(r) and CORRELATION_MIN <= abs(r) < 0.97 and (best is None or abs(r) > abs(best[0])):
                best = (r, a, b, both)
    return best and together(*best, kinds)


def together(r, a, b, both, kinds):
    bands = pd.qcut(both[a].rank(method="first"), 5, labels=False)
    means, edges = both.groupby(bands)[b].mean(), both.groupby(bands)[a].mean()
    x, y = Measure(a, a, "mean", kinds[a]), Measure(b, b, "mean", kinds[b])
    values = [float(value) for value in means]
    divisor, title, number_format = y.axis(values)
    return finding(
        "together",
        "Relation",
        f"The higher {inner(a)}, the {'higher' if r > 0 else 'lower'} {inner(b)}: {y.text(values[0])} at the low end, {y.text(values[-1])} at the high end",
        f"{r:+.2f}".replace("-", "−"),
        "rank correlation (−1 to +1)",
        [
            f"Records in five equal bands by {inner(a)}, each bar the average {inner(b)}.",
            "The two move together; that alone does not make one the cause of the other.",
        ],
        chart("column", [x.text(float(edge)) for edge in edges], values, b, (divisor, title, number_format), [0, 4]) | {"category_axis": f"Average {inner(a)} in band"},  # fmt: skip
    )
