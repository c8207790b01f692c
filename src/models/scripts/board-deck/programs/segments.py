"""One table for each dimension: size, share, and change between the two spans that are compared."""

ROWS_MAX = 25


def segment_table(frame, dimension, measure, calendar):
    """Rows in order of size. Values beyond ROWS_MAX are only counted: formulas take them as the rest."""
    totals = measure.grouped(frame, dimension)
    counts = frame.groupby(dimension, sort=False).size()
    current = previous = None
    if calendar and calendar.current:
        now, before = (window.of(frame, calendar.time) for window in (calendar.current, calendar.previous))
        current, previous = measure.grouped(now, dimension), measure.grouped(before, dimension)
        n_now, n_before = now.groupby(dimension).size(), before.groupby(dimension).size()
    whole = measure.of(frame)
    rows = []
    for value, total in sorted(totals.items(), key=lambda pair: (-pair[1], str(pair[0]))):
        row = {"value": value, "count": int(counts[value]), "total": float(total)}
        if measure.adds_up:
            row["share"] = float(total / whole) if whole else 0.0
        if current is not None:
            row["current"], row["previous"] = float(current.get(value, 0.0)), float(previous.get(value, 0.0))
            row["change"] = row["current"] - row["previous"]
            row["change_pct"] = row["change"] / abs(row["previous"]) if row["previous"] else None
            row["n_current"], row["n_previous"] = int(n_now.get(value, 0)), int(n_before.get(value, 0))
        rows.append(row)
    return {"dimension": dimension, "rows": rows[:ROWS_MAX], "beyond": max(0, len(rows) - ROWS_MAX)}


def real(table):
    """The rows that name something."""
    return [row for row in table["rows"] if row["value"] != "(blank)"]


def sizeable(table, rows):
    """Rows large enough that their average means something."""
    least = max(5, rows * 0.01)
    return [row for row in real(table) if row["count"] >= least]


def movement(table):
    """How much the segments moved against each other, beyond what the total did."""
    changes = [row.get("change", 0.0) for row in real(table)]
    return sum(abs(change) for change in changes) - abs(sum(changes)) if changes else 0.0


def concentration(frame, entity, measure):
    """What share the largest tenth of the entities holds."""
    totals = measure.grouped(frame[~frame[entity].isin(["(blank)", ""])], entity).sort_values(ascending=False)
    whole = totals[totals > 0].sum()
    if len(totals) < 20 or whole <= 0:
        return None
    top = max(1, round(len(totals) * 0.1))
    cumulative = (totals.clip(lower=0).cumsum() / whole).tolist()
    half = next(i for i, share in enumerate(cumulative, 1) if share >= 0.5)
    return {"entity": entity, "entities": len(totals), "top": top, "share": cumulative[top - 1], "half": half, "cumulative": cumulative}
