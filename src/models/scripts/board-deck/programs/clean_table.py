"""Cleans the profiled table: one type a column, one spelling a category, no row twice. Nothing is guessed in silence:
every change is counted in quality.json, and odd values are flagged, not deleted.

    python3 clean_table.py               reads profile.json, writes clean.pkl and quality.json
"""

import json

import pandas as pd

from columns import reader_of
from duplicates import drop_duplicates
from outliers import flag_outliers
from quality import CONTENT_LOST, FIGURES_AT_STAKE, QualityLog
from running import report, run
from shifted import realign
from table_reader import read_table
from values import is_missing

BLANK = "(blank)"


def main():
    with open("profile.json", encoding="utf-8") as file:
        profile = json.load(file)
    table = read_table(profile["file"])
    log = QualityLog()
    for what, count, done, examples in table.repairs:
        log.add("(whole table)", what, count, done, examples)
    readers = [reader_of(column) for column in profile["columns"]]
    rows = realign(table.rows, profile["columns"], log)
    flags = [[] for _ in rows]
    cells = enumerate(zip(profile["columns"], readers))
    clean = {column["name"]: convert(column, read, [row[i] for row in rows], flags, log) for i, (column, read) in cells}
    frame = pd.DataFrame(clean | {"Flags": flags})
    frame = drop_duplicates(frame, rows, profile, log)
    flag_outliers(frame, profile, log)
    frame["Flags"] = frame["Flags"].map("; ".join)
    frame.reset_index(drop=True).to_pickle("clean.pkl")
    log.sort([column["name"] for column in profile["columns"]])
    log.save("quality.json", rows_read=len(rows), rows_kept=len(frame))
    print(f"{len(rows):,} rows read, {len(frame):,} kept; {len(log.issues)} kinds of issue")
    for issue in log.issues[:30]:
        print(f"- {issue['column']}: {issue['what']}: {issue['count']:,} ({issue['done']})")
    report({"rows_read": len(rows), "rows_kept": len(frame), "issues": log.top(8)})


def convert(column, read, texts, flags, log):
    """One clean column. Each distinct text is read once."""
    meaning = {text: None if is_missing(text) else read(text) for text in set(texts)}
    unreadable = [text for text in texts if meaning[text] is None and not is_missing(text)]
    missing = sum(1 for text in texts if is_missing(text))
    # A column most rows leave empty, such as remarks, is meant to be optional.
    blank = BLANK if missing < len(texts) / 2 else ""
    log.missing(column, missing, blank)
    log.add(column["name"], f"Not readable as a {column['type']}", len(unreadable), "left blank", unreadable, weight=CONTENT_LOST)
    if column["type"] == "date":
        return dates(column, meaning, texts, log)
    if column["type"] == "number":
        return numbers(column, meaning, texts, flags, log)
    if column["type"] == "boolean":
        words = {True: "Yes", False: "No", None: blank}
        styles = {text.strip() for text in texts if meaning[text] is not None}
        log.add(column["name"], "Several ways to write yes and no", len(styles) if len(styles) > 2 else 0, "made Yes and No", sorted(styles))
        return [words[meaning[text]] for text in texts]
    if column["type"] == "category":
        spellings(column, texts, meaning, log)
        return [meaning[text] or blank for text in texts]
    return [meaning[text] or "" for text in texts]


def dates(column, meaning, texts, log):
    formats = column["formats"]
    if len(formats) > 1:
        samples = [f"{kind}: {n:,}" for kind, n in formats.items()]
        log.add(column["name"], f"{len(formats)} ways to write a date", sum(formats.values()) - max(formats.values()), "made one date format", samples, 6)  # fmt: skip
    for mark, order in column["order_assumed"].items():
        doubtful = [text for text in texts if meaning[text] and meaning[text].doubtful == mark]
        log.add(column["name"], "Day and month could be swapped", len(doubtful), f"read {order}; please confirm", doubtful, weight=FIGURES_AT_STAKE)
    return pd.to_datetime([meaning[text].value if meaning[text] else None for text in texts], errors="coerce")


def numbers(column, meaning, texts, flags, log):
    styles = column["styles"]
    if len(styles) > 1:
        samples = [f"{style}: {n:,}" for style, n in styles.items()]
        log.add(column["name"], f"{len(styles)} ways to write a number", sum(styles.values()) - max(styles.values()), "made plain numbers", samples, 6)  # fmt: skip
    doubtful = [text for text in texts if meaning[text] and meaning[text].doubtful]
    reading = "the decimal mark" if column["decimal"] == "." else "the thousands mark"
    log.add(column["name"], 'Like "1.234": thousands or decimals?', len(doubtful), f"point read as {reading}, as elsewhere in the column", doubtful, weight=CONTENT_LOST)  # fmt: skip
    foreign, result = [], []
    for i, text in enumerate(texts):
        number = meaning[text]
        if number and number.currency and column["currency"] and number.currency != column["currency"]:
            foreign.append(text.strip())
            flags[i].append(f"{column['name']} in another currency: {text.strip()}")
            number = None
        scale = 0.01 if number and column["kind"] == "percent" and not number.percent and abs(number.value) > 1 else 1
        result.append(number.value * scale if number else None)
    log.add(column["name"], f"Amounts in a currency other than {column['currency']}", len(foreign), "set aside: no exchange rate; text kept in Flags", foreign, weight=FIGURES_AT_STAKE)  # fmt: skip
    return pd.Series(result, dtype="float64")


def spellings(column, texts, meaning, log):
    changed = [text for text in texts if meaning[text] and " ".join(text.split()) != meaning[text]]
    pairs = sorted({f"{text.strip()} → {meaning[text]}" for text in changed}, key=str.casefold)
    padded = sum(1 for text in texts if text != text.strip() and meaning[text])
    log.add(column["name"], "Spelling and case variants", len(changed), "merged into the commonest spelling", pairs, 6)
    log.add(column["name"], "Spaces before or after", padded, "trimmed", [])


if __name__ == "__main__":
    run(main)
