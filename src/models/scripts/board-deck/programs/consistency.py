"""Decides which rows count. A value that contradicts its own row, or lies beyond belief, is held out of the figures; it
stays in the workbook, where putting "Yes" back into its Counted cell brings it into every figure again."""

import itertools

import numpy as np

from outliers import far_numbers

COLUMNS_MAX = 8
ROWS_MIN = 40
# A product of two columns explains a third when this share of rows lies close to it.
COVERAGE = 0.9
SPREAD_MAX = 0.25
FACTOR_MIN = 3.0


def mark_counted(frame, measure, numeric):
    """Adds the column Counted. Returns what was held out: {"rows", "value", "why"}."""
    frame["Counted"] = "Yes"
    held = {"rows": 0, "value": 0.0, "why": ""}
    if measure.agg == "count":
        return held
    relation = find_product(frame, measure.column, [name for name in numeric if name != measure.column][:COLUMNS_MAX])
    if relation:
        factors, odd = relation
        why = f"{measure.label} is more than {FACTOR_MIN:.0f} times off {factors[0]} × {factors[1]}"
    else:
        odd, why = far_numbers(frame[measure.column]), f"{measure.label} is far outside its usual range"
        odd &= frame[measure.column].abs() > 10 * frame[measure.column].abs().quantile(0.99)
    if odd.any():
        frame.loc[odd, "Counted"] = "No"
        frame.loc[odd, "Flags"] = [f"{flags}; not counted: {why}".lstrip("; ") for flags in frame.loc[odd, "Flags"]]
        held = {"rows": int(odd.sum()), "value": float(frame.loc[odd, measure.column].sum()), "why": why}
    return held


def find_product(frame, target, others):
    """The pair of columns whose product follows `target` most closely, and the rows that break the rule."""
    best = None
    sizes = {name: np.log(frame[name].abs().where(frame[name].abs() > 0)) for name in [target, *others]}
    for pair in itertools.combinations(others, 2):
        ratio = sizes[target] - sizes[pair[0]] - sizes[pair[1]]
        known = ratio.dropna()
        if len(known) < max(ROWS_MIN, len(frame) * 0.5):
            continue
        off = (ratio - known.median()).abs()
        spread = off.dropna().quantile(COVERAGE)
        apart = min(sizes[name].std() for name in pair)
        if spread <= SPREAD_MAX and apart > spread * 2 and (best is None or spread < best[0]):
            best = (spread, pair, (off > np.log(FACTOR_MIN)).fillna(False))
    return best and best[1:]
