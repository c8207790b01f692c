"""Reads a delimited text file (or the first sheet of an .xlsx) of unknown make into rows of strings."""

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from values import is_missing, looks_typed

BYTES_MAX = 400 * 1024 * 1024
ROWS_MAX = 1_000_000
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
DELIMITERS = [",", ";", "\t", "|"]
BOMS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
TOTAL_WORDS = re.compile(r"(?i)^(grand |sub-?)?(total|totals|sum|summe|gesamt|gesamtsumme|totale|total général|suma)\b.{0,12}$")


class Problem(Exception):
    """Something about the file that the person who sent it has to know; its text is written for them."""


@dataclass
class Table:
    header: list
    rows: list
    encoding: str
    delimiter: str
    has_header: bool
    # What reading had to mend: (what, count, what was done, examples)
    repairs: list = field(default_factory=list)


def read_table(path):
    path = Path(path)
    if not path.is_file():
        raise Problem(f"There is no file {path}.")
    size = path.stat().st_size
    if size == 0:
        raise Problem(f"{path.name} is empty: it has no header and no rows.")
    if size > BYTES_MAX:
        raise Problem(f"{path.name} has {size:,} bytes; more than {BYTES_MAX:,} do not fit in memory here.")
    data = path.read_bytes()
    repairs = []
    if data[:4] == b"PK\x03\x04":
        records, encoding, delimiter = read_sheet(path), "xlsx", "cells"
    else:
        text, encoding = decode(data, path.name, repairs)
        text = without_controls(text, repairs)
        del data
        records, delimiter = split(text, repairs)
    records = [record for record in records if record is not None]
    if len(records) > ROWS_MAX:
        raise Problem(f"{path.name} has {len(records):,} rows; a worksheet holds {ROWS_MAX:,} of them at most.")
    return shape(records, encoding, delimiter, repairs, path.name)


def without_controls(text, repairs):
    """Characters that neither a workbook nor a slide can hold."""
    clean, count = CONTROLS.subn("", text)
    if count:
        repairs.append(("Control characters", count, "left out", []))
    return clean


def read_sheet(path):
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise Problem(f"{path.name} is a zip file but not a workbook that can be opened ({error}).") from error
    cells = ([cell_text(cell) for cell in row] for row in book.worksheets[0].iter_rows(values_only=True))
    return [row for row in cells]


def cell_text(value):
    if value is None:
        return ""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return CONTROLS.sub("", str(value))


def decode(data, name, repairs):
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace"), encoding
    head = data[:4096]
    nuls = head.count(0)
    if nuls > len(head) * 0.3:
        encoding = "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
        return data.decode(encoding, errors="replace"), encoding
    if nuls:
        raise Problem(f"{name} is not a text table: it holds binary data. Please send a CSV, TSV or XLSX file.")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    mended = data.decode("utf-8", errors="replace")
    broken = mended.count("\ufffd")
    if broken * 10 < sum(1 for char in mended if ord(char) > 127):
        repairs.append(("Bytes that are not valid UTF-8", broken, "replaced by a mark", []))
        return mended, "utf-8"
    return data.decode("cp1252", errors="replace"), "windows-1252"


def split(text, repairs):
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"(?i)sep=(.)\s*", first):
        return parse(rest, first[4], repairs), first[4]
    sample = text[:200_000]
    delimiter = max(DELIMITERS, key=lambda candidate: fitness(sample, candidate))
    return parse(text, delimiter, repairs), delimiter


def fitness(sample, delimiter):
    """How table-like the sample is when cut here: steady row widths count more than many columns."""
    csv.field_size_limit(10_000_000)
    records = list(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))[:400]
    widths = Counter(len(record) for record in records if record)
    if not widths:
        return 0
    width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
    return 0 if width < 2 else count / sum(widths.values()) * 10 + min(width, 30) / 30


def parse(text, delimiter, repairs):
    csv.field_size_limit(max(len(text) * 4, 131_072))
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if any(len(cell) > 20_000 and cell.count("\n") > 50 for record in records for cell in record):
        # A stray quote swallowed part of the file: the quotes are not quoting.
        repairs.append(("Unbalanced quotes", 1, "quotes read as ordinary characters", []))
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_NONE))
    return records


def shape(records, encoding, delimiter, repairs, name):
    blank = sum(1 for record in records if not any(cell.strip() for cell in record))
    records = [record for record in records if any(cell.strip() for cell in record)]
    if blank:
        repairs.append(("Blank rows", blank, "left out", []))
    if not records:
        raise Problem(f"{name} holds only blank lines.")
    width = usual_width(records)
    start = next(i for i, record in enumerate(records) if filled(record) > width / 2 or i == len(records) - 1)
    if start:
        examples = [" ".join(cell for cell in record if cell.strip())[:60] for record in records[:start]]
        repairs.append(("Lines above the table", start, "left out", examples[:3]))
    records = records[start:]
    has_header = is_header(records)
    header = names(records[0] if has_header else [], width)
    rows = records[1:] if has_header else records
    if not rows:
        columns = ", ".join(header[:12])
        raise Problem(f"{name} has a header ({columns}) but no rows under it, so there is nothing to analyse.")
    rows = drop_repeats(rows, records[0] if has_header else None, repairs)
    rows = drop_totals(rows, repairs)
    return Table(header, even_out(rows, width, repairs), encoding, delimiter, has_header, repairs)


def filled(record):
    return sum(1 for cell in record if cell.strip())


def usual_width(records):
    sample = records[:2000]
    widths = Counter(len(record) for record in sample)
    return max(widths.items(), key=lambda pair: (pair[1], pair[0]))[0]


def is_header(records):
    first = [cell.strip() for cell in records[0]]
    if any(looks_typed(cell) for cell in first if cell):
        return False
    if len(records) == 1:
        return True
    body = records[1:400]
    for i, cell in enumerate(first):
        if cell and any(i < len(row) and row[i].strip() == cell for row in body) and not repeats_whole(records, body):
            return False
    return True


def repeats_whole(records, body):
    """A header that comes again further down, as in exports glued together, is still a header."""
    return any(row == records[0] for row in body)


def names(first, width):
    # The names of the columns that cleaning adds are taken.
    seen, result = Counter(["flags", "counted"]), []
    for i in range(width):
        name = re.sub(r"\s+", " ", first[i] if i < len(first) else "").strip()[:80] or f"Column {i + 1}"
        seen[name.casefold()] += 1
        result.append(name if seen[name.casefold()] == 1 else f"{name} ({seen[name.casefold()]})")
    return result


def drop_repeats(rows, header, repairs):
    if header is None:
        return rows
    kept = [row for row in rows if row != header]
    if len(kept) < len(rows):
        repairs.append(("Header repeated among the rows", len(rows) - len(kept), "left out", []))
    return kept


def drop_totals(rows, repairs):
    """Totals at the very end, which would be counted twice."""
    dropped = []
    while len(rows) > 2 and len(dropped) < 5 and is_total(rows[-1]):
        dropped.append(" ".join(cell for cell in rows[-1] if cell.strip())[:60])
        rows = rows[:-1]
    if dropped:
        repairs.append(("Total lines at the end", len(dropped), "left out, so that nothing counts twice", dropped))
    return rows


def is_total(row):
    cells = [cell.strip() for cell in row if cell.strip()]
    return bool(cells) and len(cells) <= len(row) * 0.7 and bool(TOTAL_WORDS.match(cells[0]))


def even_out(rows, width, repairs):
    short = sum(1 for row in rows if len(row) < width)
    long = sum(1 for row in rows if len(row) > width and any(not is_missing(cell) for cell in row[width:]))
    if short:
        repairs.append(("Rows with too few cells", short, "filled up with blanks", []))
    if long:
        repairs.append(("Rows with too many cells", long, "cells beyond the last column left out", []))
    return [row[:width] + [""] * (width - len(row)) for row in rows]
