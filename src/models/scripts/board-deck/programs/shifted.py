"""Mends rows whose cells slid by one column: a stray empty cell, or one that is missing."""

from columns import reader_of
from quality import FIGURES_AT_STAKE
from values import is_missing

# A row is suspect only when at least this many of its typed cells make no sense where they stand.
MISFITS_MIN = 2


def realign(rows, columns, log):
    """The same list when nothing had to move."""
    strict = [i for i, column in enumerate(columns) if column["type"] in ("date", "number", "boolean")]
    closed = [i for i, column in enumerate(columns) if column["type"] == "category" and len(set(column["groups"].values())) <= 60]
    if len(strict) < 2:
        return rows
    readers = {i: reader_of(columns[i]) for i in strict}
    common = {i: common_groups(rows, i) for i in closed}
    fits = {i: {} for i in strict}

    def misfits(row):
        count = 0
        for i in strict:
            text = row[i]
            if text not in fits[i]:
                fits[i][text] = is_missing(text) or readers[i](text) is not None
            count += not fits[i][text]
        return count

    mended, examples, result = 0, [], []
    for row in rows:
        if misfits(row) >= MISFITS_MIN:
            better = best_shift(row, misfits, common)
            if better:
                mended += 1
                examples.append(" | ".join(cell.strip() for cell in row[:5]))
                row = better
        result.append(row)
    log.add("(whole table)", "Rows shifted by one column", mended, "moved back into place", examples, weight=FIGURES_AT_STAKE)
    return result if mended else rows


def best_shift(row, misfits, common):
    candidates = []
    for at in range(len(row)):
        if is_missing(row[at]):
            candidates.append(row[:at] + row[at + 1 :] + [""])
        if is_missing(row[-1]):
            candidates.append(row[:at] + [""] + row[at:-1])
    sound = [candidate for candidate in candidates if misfits(candidate) == 0]
    strangers = lambda candidate: sum(not is_missing(candidate[i]) and candidate[i].strip() not in known for i, known in common.items())  # noqa: E731
    return min(sound, key=strangers, default=None)


def common_groups(rows, i):
    """Values seen in more than a stray row or two."""
    counts = {}
    for row in rows:
        text = row[i].strip()
        counts[text] = counts.get(text, 0) + 1
    return {text for text, n in counts.items() if n > max(2, len(rows) * 0.001)}
