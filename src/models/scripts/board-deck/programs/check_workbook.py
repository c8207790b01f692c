"""Checks the workbook: a spreadsheet program computes every formula anew, and must find what pandas found."""

import re
import subprocess
import warnings
import zipfile

import openpyxl

CACHED = re.compile(rb"(</f>)<v>[^<]*</v>")
ERRORS = re.compile(r"^(#(REF|NAME|VALUE|DIV/0|N/A|NUM|NULL)[!?]?|Err:\d+)")
TOLERANCE = 1e-6


def without_cached_values(path, target):
    """A copy whose formulas have no stored results, which forces them to be computed."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
        for name in source.namelist():
            data = source.read(name)
            copy.writestr(name, CACHED.sub(rb"\1", data) if name.startswith("xl/worksheets/sheet") else data)
    return target


def check_workbook(path, computed, pages, problems):
    # openpyxl does not know data bars; it only reads here, so nothing is lost.
    warnings.filterwarnings("ignore", module="openpyxl")
    with zipfile.ZipFile(path) as archive:
        charts = sum(1 for name in archive.namelist() if re.match(r"xl/charts/chart\d+\.xml", name))
    formulas = openpyxl.load_workbook(path, read_only=True)
    stored = openpyxl.load_workbook(path, read_only=True, data_only=True)
    again = openpyxl.load_workbook(computed, read_only=True, data_only=True)
    count = 0
    for name in formulas.sheetnames:
        if name != "Data":
            count += compare(name, formulas[name], stored[name], again[name], problems)
    if not charts:
        problems.append("report.xlsx has no chart")
    if not count:
        problems.append("report.xlsx has no formula")
    text = subprocess.run(["pdftotext", "-layout", str(pages), "-"], capture_output=True, text=True, timeout=60).stdout
    if re.search(r"#{3,}", text):
        problems.append("report.xlsx has a column too narrow for its numbers")
    return {"sheets": len(formulas.sheetnames), "formulas": count, "workbook_charts": charts}


def compare(name, formulas, stored, again, problems):
    count = 0
    for row, values, computed in zip(formulas.iter_rows(), stored.iter_rows(values_only=True), again.iter_rows(values_only=True)):
        for i, cell in enumerate(row):
            if not (isinstance(cell.value, str) and cell.value.startswith("=") and cell.data_type == "f"):
                continue
            count += 1
            found = computed[i] if i < len(computed) else None
            if isinstance(found, str) and ERRORS.match(found):
                problems.append(f"{name}!{cell.coordinate} computes to {found}")
            elif not agree(values[i], found):
                problems.append(f"{name}!{cell.coordinate} stores {values[i]!r} but computes to {found!r}")
    return count


def agree(a, b):
    if a in (None, "") or b in (None, ""):
        return a in (None, "") and b in (None, "")
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= TOLERANCE * max(1.0, abs(a), abs(b))
    return a == b
