"""Finds rows that are there twice: to the letter, in meaning, or under one id with a cell or two written differently."""

import pandas as pd

from quality import FIGURES_AT_STAKE

# A column is the key of the table when nearly each of its values is there once.
KEY_SHARE = 0.9
# Two rows under one key are one record when at least this share of the cells filled in both agree.
AGREEING_SHARE = 0.75


def drop_duplicates(frame, rows, profile, log):
    names = [column["name"] for column in profile["columns"]]
    raw = pd.Series(["\x1f".join(cell.strip() for cell in row) for row in rows])
    content = frame[names].astype(str).agg("\x1f".join, axis=1) if len(names) > 1 else frame[names[0]].astype(str)
    key = key_column(frame, profile)
    exact, same = raw.duplicated(), content.duplicated()
    if key is None and not surprising(content, names):
        log.add("(whole table)", "Rows equal to another", int(same.sum()), "kept: without an id they may be separate records", [], weight=FIGURES_AT_STAKE)
        return frame
    label = frame[key].astype(str) if key else content.str.replace("\x1f", " | ", regex=False)
    log.add("(whole table)", "Exact duplicates", int(exact.sum()), "removed", label[exact], weight=FIGURES_AT_STAKE)
    meant = same & ~exact
    log.add("(whole table)", "Duplicates written differently", int(meant.sum()), "removed", label[meant], weight=FIGURES_AT_STAKE)
    frame = frame[~(same | exact)]
    return drop_near(frame, key, names, log) if key else frame


def key_column(frame, profile):
    for column in profile["columns"]:
        values = frame[column["name"]]
        if column["type"] == "id" and (values != "").mean() > KEY_SHARE and values.nunique() > len(frame) * KEY_SHARE:
            return column["name"]
    return None


def surprising(content, names):
    """Without an id, equal rows are an accident only where rows are otherwise nearly all different."""
    return len(names) >= 4 and content.nunique() > len(content) * 0.97


def drop_near(frame, key, names, log):
    twice = frame[frame[key].duplicated(keep=False) & (frame[key] != "")]
    drop, differing = [], []
    for value, group in twice.groupby(key, sort=False):
        records = group[names].to_dict("records")
        for i, j in pairs(records):
            if agreeing(records[i], records[j], names) >= AGREEING_SHARE:
                drop.append(group.index[j])
            else:
                differing.append(value)
    for index in frame.index[frame[key].isin(differing)]:
        frame.at[index, "Flags"].append(f"{key} used more than once")
    drop = list(dict.fromkeys(drop))
    log.add(key, "Same record, a cell or two different", len(drop), "first one kept", frame.loc[drop, key], weight=FIGURES_AT_STAKE)
    log.add(key, "Same id on different records", len(set(differing)), "kept and flagged", differing, weight=FIGURES_AT_STAKE)
    return frame.drop(index=drop)


def pairs(records):
    return [(0, j) for j in range(1, len(records))]


def agreeing(a, b, names):
    shared = [name for name in names if filled(a[name]) and filled(b[name])]
    return sum(equal(a[name], b[name]) for name in shared) / len(shared) if shared else 0


def filled(value):
    return not pd.isna(value) and value not in ("", "(blank)")


def equal(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 0.01 * max(abs(a), abs(b))
    return a == b
