"""Opens report.xlsx as a stranger would and computes its figures again from the Data sheet. Prints what it found as JSON."""

import json
import re
import sys
import zipfile

import openpyxl
import pandas as pd

path = sys.argv[1]
book = openpyxl.load_workbook(path, data_only=True)
formulas = openpyxl.load_workbook(path)
with zipfile.ZipFile(path) as archive:
    charts = sum(1 for name in archive.namelist() if name.startswith("xl/charts/chart"))

rows = book["Data"].iter_rows(values_only=True)
header = next(rows)
data = pd.DataFrame(rows, columns=header)
counted = data[data["Counted"] == "Yes"]
errors = [
    f"{sheet.title}!{cell.coordinate}"
    for sheet in book
    for row in sheet.iter_rows()
    for cell in row
    if isinstance(cell.value, str) and re.match(r"#(REF|NAME|VALUE|DIV/0|N/A|NUM)", cell.value)
]
wrong = []
segments = 0
for sheet in book:
    head = [cell.value for cell in sheet[4]]
    if sheet.title.startswith("By ") and head[1] in header:
        name, measure = head[1], re.sub("^Average ", "", head[3])
        for row in sheet.iter_rows(min_row=5, values_only=True):
            if not isinstance(row[1], str) or row[1] in ("Total", "Overall") or row[1].startswith("All others"):
                break
            part = counted[counted[name] == row[1]]
            values = part[measure] if measure in part else None
            total = len(part) if values is None else values.mean() if head[3].startswith("Average ") else values.sum()
            segments += 1
            if row[2] != len(part) or abs(row[3] - total) > 1e-6 * max(1, abs(total)):
                wrong.append(f"{sheet.title}: {row[1]} says {row[2]} and {row[3]}, not {len(part)} and {total}")
data_sheet = formulas["Data"]
print(
    "VERIFIED "
    + json.dumps(
        {
            "sheets": book.sheetnames,
            "charts": charts,
            "errors": errors,
            "wrong": wrong,
            "segments": segments,
            "records": len(data),
            "frozen": data_sheet.freeze_panes,
            "table": bool(data_sheet.tables),
        }
    )
)
