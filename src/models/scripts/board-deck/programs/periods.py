"""Cuts time into periods, and picks the two spans of it that can be compared fairly."""

from dataclasses import dataclass

import pandas as pd

GRAINS = ["day", "week", "month", "quarter", "year"]
CODES = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "A"}
A_YEAR = {"week": 52, "month": 12, "quarter": 4}
# The span is cut into periods of this kind while it is at most this many days.
LONGEST_DAYS = {"day": 45, "week": 200, "month": 365 * 5, "quarter": 365 * 15}
PERIODS_MAX = 400


@dataclass
class Window:
    start: pd.Timestamp
    # Exclusive.
    end: pd.Timestamp
    label: str

    def of(self, frame, time):
        return frame[(frame[time] >= self.start) & (frame[time] < self.end)]

    def data(self):
        return {"start": day(self.start), "end": day(self.end), "label": self.label}


@dataclass
class Calendar:
    time: str
    grain: str
    # pandas Periods without a gap, first to last.
    periods: list
    # Whether the last period lacks part of its days.
    partial: bool
    current: Window | None
    previous: Window | None
    # "a year earlier" or "the period before"
    against: str

    def label(self, period):
        return period_label(period, self.grain)

    def index_of(self, dates):
        return dates.dt.to_period(CODES[self.grain])


def make_calendar(frame, time, wanted_grain=None):
    """None when the dates do not make at least two periods."""
    dates = frame[time].dropna()
    plausible = dates[~frame.loc[dates.index, "Flags"].str.contains(f"{time} implausible", regex=False)]
    if plausible.nunique() < 2:
        return None
    grain = wanted_grain or fitting_grain(plausible)
    first, last = plausible.min().to_period(CODES[grain]), plausible.max().to_period(CODES[grain])
    periods = list(pd.period_range(first, last, freq=CODES[grain]))
    if len(periods) < 2:
        return None
    if len(periods) > PERIODS_MAX:
        return make_calendar(frame, time, GRAINS[GRAINS.index(grain) + 1])
    partial = is_partial(plausible, periods, grain)
    calendar = Calendar(time, grain, periods, partial, None, None, "")
    compare(calendar, periods[:-1] if partial else periods)
    return calendar


def fitting_grain(dates):
    span = (dates.max() - dates.min()).days
    grain = next((grain for grain, days in LONGEST_DAYS.items() if span <= days), "year")
    if (dates.dt.day == 1).all() and grain in ("day", "week"):
        return "month"
    if (dates.dt.dayofyear == 1).all():
        return "year"
    return grain


def is_partial(dates, periods, grain):
    if grain == "day" or (dates.dt.day == 1).all() or len(periods) < 3:
        return False
    last = periods[-1]
    length = (last.end_time - last.start_time).days + 1
    return (last.end_time.normalize() - dates.max().normalize()).days > length * 0.25


def compare(calendar, complete):
    year = A_YEAR.get(calendar.grain, 0)
    spare = len(complete) - year
    if year and spare >= max(2, year // 4):
        n = min(spare, year)
        calendar.current = window(complete[-n:], calendar.grain)
        calendar.previous = window(complete[-n - year : len(complete) - year], calendar.grain)
        calendar.against = "a year earlier"
    elif len(complete) >= 2:
        n = len(complete) // 2
        calendar.current = window(complete[-n:], calendar.grain)
        calendar.previous = window(complete[-2 * n : -n], calendar.grain)
        calendar.against = "the time before"


def window(periods, grain):
    first, last = periods[0], periods[-1]
    if grain == "month" and first.year == last.year and len(periods) > 1:
        label = f"{first.strftime('%b')}–{last.strftime('%b %Y')}"
    elif grain == "quarter" and first.year == last.year and len(periods) > 1:
        label = f"Q{first.quarter}–Q{last.quarter} {last.year}"
    else:
        labels = list(dict.fromkeys([period_label(first, grain), period_label(last, grain)]))
        label = " – ".join(labels)
    return Window(first.start_time, last.end_time.normalize() + pd.Timedelta(days=1), label)


def period_label(period, grain):
    if grain == "quarter":
        return f"Q{period.quarter} {period.year}"
    return period.start_time.strftime({"day": "%-d %b %Y", "week": "%-d %b %Y", "month": "%b %Y", "year": "%Y"}[grain])


def short_label(period, grain):
    """For the axis of a chart."""
    if grain == "quarter":
        return f"Q{period.quarter} {period.year % 100:02d}"
    return period.start_time.strftime({"day": "%-d %b", "week": "%-d %b", "month": "%b %y", "year": "%Y"}[grain])


def axis_labels(periods, grain):
    """Months carry their year only where it begins, so that the labels stay short."""
    labels = [short_label(period, grain) for period in periods]
    if grain != "month":
        return labels
    return [label if i == 0 or period.month == 1 else label[:3] for i, (period, label) in enumerate(zip(periods, labels))]


def day(timestamp):
    return timestamp.strftime("%Y-%m-%d")
