"""Findings that need neither time nor segments, so that any table at all has something to show."""

import numpy as np

from findings import chart, finding
from measure import inner, percent

BINS = 10


def spread(frame, measure):
    """How the values of one column are spread."""
    if measure.column is None:
        return None
    values = frame[measure.column].dropna()
    if len(values) < 8 or values.nunique() < 3:
        return None
    middle, low, high = (float(values.quantile(q)) for q in (0.5, 0.1, 0.9))
    labels, counts, peak = histogram(values, measure)
    name = inner(measure.label)
    return finding(
        "spread",
        f"Spread of {name}",
        f"For half of all records {name} is {measure.text(middle, trim=True)} or less; one in ten reaches {measure.text(high, trim=True)} or more",
        measure.text(middle, trim=True),
        f"median {name}",
        [
            f"Eight in ten lie between {measure.text(low, trim=True)} and {measure.text(high, trim=True)}.",
            f"The average is {measure.text(float(values.mean()))}, {'above the median: a few large values pull it up' if values.mean() > middle * 1.15 else 'close to the median' if values.mean() > middle * 0.87 else 'below the median'}.",
        ],
        chart("column", labels, counts, "Records", (1, "Records", "#,##0"), [peak]) | {"category_axis": f"{measure.label}, from"},
    )


def histogram(values, measure):
    if values.nunique() <= BINS:
        counts = values.value_counts().sort_index()
        return [measure.text(float(v), trim=True) for v in counts.index], [int(n) for n in counts], int(np.argmax(counts.to_numpy()))
    low, high = values.quantile(0.01), values.quantile(0.99)
    counts, edges = np.histogram(values.clip(low, high), bins=BINS)
    return [measure.text(float(edge), trim=True) for edge in edges[:-1]], [int(n) for n in counts], int(np.argmax(counts))


def common_values(frame, dimension):
    """Counts of one column's values."""
    counts = frame[dimension].dropna().map(written).replace("", "(blank)").value_counts()
    counts = counts[counts.index != "(blank)"]
    if not len(counts):
        return None
    first, n = str(counts.index[0]), int(counts.iloc[0])
    shown = counts[:12]
    whole = int(counts.sum())
    return finding(
        f"values:{dimension}",
        dimension,
        f"{first} is the commonest {inner(dimension)}: {n:,} of {whole:,} records" if n > 1 else distinct(dimension, first, whole),  # fmt: skip
        percent(n / whole),
        f"of records with {first}" if n > 1 else "the share of each value",
        [follower(counts, whole), f"The first three of {len(counts):,} cover {percent(int(counts[:3].sum()) / whole)}." if len(counts) > 3 else None],
        chart("bar", shown.index, [int(v) for v in shown], "Records", (1, "Records", "#,##0"), [0]),
    )


def written(value):
    return f"{value:g}" if isinstance(value, float) else value.strftime("%Y-%m-%d") if hasattr(value, "strftime") else value


def follower(counts, whole):
    if len(counts) < 2 or counts.iloc[0] == 1:
        return f"{len(counts):,} different values in {whole:,} records."
    return f"{counts.index[1]} follows with {int(counts.iloc[1]):,} ({percent(counts.iloc[1] / whole)})."


def distinct(dimension, first, whole):
    if whole == 1:
        return f"There is one record; its {inner(dimension)} is {first}"
    return f"Each of {whole:,} records has another {inner(dimension)}"


def completeness(profile):
    """Always possible: how full each column is."""
    columns = sorted(profile["columns"], key=lambda column: column["filled"])[:12]
    shares = [column["filled"] / profile["rows"] for column in columns]
    full = sum(1 for column in profile["columns"] if column["filled"] == profile["rows"])
    return finding(
        "completeness",
        "Completeness",
        f"{full} of {len(profile['columns'])} columns are filled in every row",
        percent(sum(column["filled"] for column in profile["columns"]) / (profile["rows"] * len(profile["columns"]))),
        "of all cells are filled",
        [f"{profile['rows']:,} rows, {len(profile['columns'])} columns.", f"Emptiest: {columns[0]['name']}, {percent(shares[0])} filled." if shares[0] < 1 else None],  # fmt: skip
        chart("bar", [column["name"] for column in columns], shares, "Filled", (1, "Share of rows filled", "0%"), []),
    )
