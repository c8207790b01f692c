"""A finding about the one segment that was asked for."""

from findings import chart, finding
from measure import inner, percent, times_or_percent
from periods import axis_labels
from table_reader import Problem


def focus_finding(frame, focus, measure, calendar):
    """`focus` is COLUMN=VALUE, or None."""
    if not focus:
        return None
    column, _, value = focus.partition("=")
    if column not in frame or not (frame[column].astype(str) == value).any():
        raise Problem(f"There is no {value} in a column {column}.")
    part = frame[frame[column].astype(str) == value]
    own, whole = measure.of(part), measure.of(frame)
    share = own / whole if measure.adds_up and whole else None
    change = change_of(part, measure, calendar)
    described = f"{percent(share)} of {inner(measure.label)}" if share is not None else f"{measure.named} of {measure.text(own)}"
    moved = f" and {'grew' if change > 0 else 'shrank'} {percent(abs(change))}" if change is not None else ""
    verb = "brings" if share is not None else "has an"
    return finding(
        "focus",
        f"In focus: {value}",
        f"{value} {verb} {described}{moved}",
        times_or_percent(change) if change is not None else measure.text(own),
        f"{value} against {calendar.previous.label}" if change is not None else f"{measure.label}, {value}",
        [
            f"{measure.text(own)} from {len(part):,} records.",
            f"Over all records the change was {percent(overall, signed=True)}."
            if (overall := change_of(frame, measure, calendar)) is not None and change is not None
            else None,
        ],
        focus_chart(frame, part, column, value, measure, calendar),
    )


def change_of(frame, measure, calendar):
    if not calendar or not calendar.current:
        return None
    now, before = measure.of(calendar.current.of(frame, calendar.time)), measure.of(calendar.previous.of(frame, calendar.time))
    return (now - before) / abs(before) if before else None


def focus_chart(frame, part, column, value, measure, calendar):
    if calendar:
        totals = measure.grouped(part, calendar.index_of(part[calendar.time])).reindex(calendar.periods).fillna(0.0)
        labels = axis_labels(calendar.periods, calendar.grain)
        return chart("column", labels, totals.tolist(), value, measure.axis(totals.tolist()))
    totals = measure.grouped(frame, column).sort_values(ascending=False)[:12]
    names = [str(name) for name in totals.index]
    return chart("bar", names, totals.tolist(), measure.label, measure.axis(totals.tolist()), [names.index(value)] if value in names else [])
