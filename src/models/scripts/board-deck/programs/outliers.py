"""Flags values far outside the usual range of their column. They stay in the data and in every total."""

import numpy as np
import pandas as pd

from quality import CONTENT_LOST

# Distance from the median, in robust standard deviations, from which a value is flagged.
DISTANCE = 6
ROWS_MIN = 30


def flag_outliers(frame, profile, log):
    for column in profile["columns"]:
        name = column["name"]
        if column["type"] == "number":
            values = frame[name]
            negative = values < 0
            if 0 < negative.sum() < values.notna().sum() * 0.1:
                mark(frame, negative, f"{name} negative")
                log.add(name, "Negative values in a positive column", int(negative.sum()), "kept as returns or credits, flagged", values[negative].map("{:,.2f}".format), weight=CONTENT_LOST)  # fmt: skip
            odd = far_numbers(values)
            mark(frame, odd, f"{name} unusual")
            largest = values[odd].sort_values(key=abs, ascending=False).map("{:,.2f}".format)
            log.add(name, "Outliers", int(odd.sum()), "kept and flagged", largest, weight=CONTENT_LOST)
        elif column["type"] == "date":
            odd = far_dates(frame[name])
            mark(frame, odd, f"{name} implausible")
            log.add(name, "Dates far outside the usual range", int(odd.sum()), "kept and flagged, not in any period", frame.loc[odd, name].dt.strftime("%Y-%m-%d"), weight=CONTENT_LOST)  # fmt: skip


def mark(frame, where, text):
    for flags in frame.loc[where, "Flags"]:
        flags.append(text)


def far_numbers(values):
    present = values.dropna()
    if len(present) < ROWS_MIN:
        return pd.Series(False, index=values.index)
    sizes = present.abs()
    # Amounts spread by factors, not by steps: on a logarithmic scale a large order is not an error.
    skewed = (sizes > 0).mean() > 0.95 and sizes.quantile(0.95) > 4 * sizes.median() > 0
    scaled = np.log(sizes.where(sizes > 0)) if skewed else present
    middle = scaled.median()
    deviation = 1.4826 * (scaled - middle).abs().median() or scaled.std() * 1.5
    far = (scaled - middle) > (DISTANCE if not skewed else 4.5) * deviation
    if not skewed:
        far |= (middle - scaled) > DISTANCE * deviation
    # A long tail is the nature of some columns: then nothing in it is unusual.
    far &= far.mean() < 0.02
    return far.reindex(values.index, fill_value=False)


def far_dates(values):
    present = values.dropna()
    if len(present) < ROWS_MIN:
        return pd.Series(False, index=values.index)
    low, high = present.quantile(0.01), present.quantile(0.99)
    slack = max(high - low, pd.Timedelta(days=400))
    return ((values < low - slack) | (values > high + slack)).fillna(False)
