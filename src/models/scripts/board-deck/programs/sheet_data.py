"""The Data sheet: every cleaned record, as a table with filters, typed and formatted column by column."""

import pandas as pd

from sheet_style import page

TEXT_MAX = 32_000
# A worksheet of more cells than this would not fit in memory with all columns.
CELLS_MAX = 2_500_000


def shown_columns(frame, profile, needed):
    """All columns, or in a very large table those the figures need and the ids."""
    names = [column["name"] for column in profile["columns"]] + ["Counted", "Flags"]
    if len(names) * len(frame) <= CELLS_MAX:
        return names
    ids = [column["name"] for column in profile["columns"] if column["type"] == "id"][:1]
    return [name for name in names if name in needed or name in ids or name in ("Counted", "Flags")]


def write_data(sheet, frame, names, profile, style):
    kinds = {column["name"]: column for column in profile["columns"]}
    last = len(names) - 1
    for i, name in enumerate(names):
        kind, number_format = dress_of(kinds.get(name))
        values = frame[name].tolist()
        sheet.set_column(i, i, width(name, values, kind), style.get(**({"num_format": number_format} if number_format else {})))
        write_column(sheet, i, values, kind)
    sheet.add_table(
        0, 0, len(frame), last, {"name": "Records", "style": None, "columns": [{"header": name, "header_format": style.header()} for name in names]}
    )  # fmt: skip
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    page(sheet)


def dress_of(column):
    """(what to write, number format) for a column; None is one that cleaning added."""
    if column is None or column["type"] not in ("number", "date"):
        return "text", ""
    if column["type"] == "date":
        return "date", "yyyy-mm-dd"
    sign = {"EUR": "€", "USD": "$", "GBP": "£"}.get(column["currency"], "")
    money = f'"{sign}"#,##0.00;-"{sign}"#,##0.00' if sign else "#,##0.00"
    formats = {"currency": money, "percent": "0.0%", "integer": "#,##0", "decimal": "#,##0.00"}
    return "number", formats[column["kind"]]


def write_column(sheet, i, values, kind):
    for row, value in enumerate(values, 1):
        if kind == "text":
            if value:
                sheet.write_string(row, i, str(value)[:TEXT_MAX])
        elif not pd.isna(value):
            if kind == "number":
                sheet.write_number(row, i, value)
            else:
                sheet.write_datetime(row, i, value.to_pydatetime())


def width(name, values, kind):
    if kind == "date":
        return max(12, min(16, len(name) + 4))
    sample = [value for value in values[:: max(1, len(values) // 500)] if not (isinstance(value, float) and pd.isna(value))]
    if kind == "number":
        longest = max((len(f"{abs(value):,.2f}") for value in values if not pd.isna(value)), default=4) + 3
        return max(9, min(24, longest), min(16, len(name) * 0.7 + 4))
    longest = max((len(str(value).split("\n")[0]) for value in sample), default=4)
    return max(10, min(38, longest + 2), min(18, len(name) * 0.7 + 4))
