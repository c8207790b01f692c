"""The two sheets in words: what was wrong with the data, and how the figures were made."""

from sheet_style import page

TOP = 4
FILLED_MAX = 40


def write_quality(book, sheet, analysis, profile, style):
    """Returns the row and the number of rows of the table of filled cells, for a chart elsewhere."""
    quality = analysis["quality"]
    sheet.set_column(0, 0, 2)
    sheet.write(1, 1, "Data quality", style.title())
    sheet.set_row(1, 28)
    removed = quality["rows_read"] - quality["rows_kept"]
    sheet.write(2, 1, f"{quality['rows_read']:,} rows read, {removed:,} removed as duplicates, {quality['rows_kept']:,} kept", style.subtitle())
    columns = [("Column", 22), ("What", 34), ("Count", 9), ("Share of rows", 9), ("What was done", 46), ("Examples", 60)]
    sheet.set_row(TOP - 1, 32)
    for i, (label, width) in enumerate(columns, 1):
        sheet.set_column(i, i, width)
        sheet.write(TOP - 1, i, label, style.header(align="right" if i in (3, 4) else "left", indent=1 if i == 5 else 0))
    issues = quality["issues"] or [{"column": "(whole table)", "what": "Nothing to report", "count": 0, "done": "", "examples": []}]
    for i, issue in enumerate(issues, TOP):
        examples = "  ·  ".join(issue["examples"])
        sheet.write_string(i, 1, issue["column"], style.wrapped(bold=True))
        sheet.write_string(i, 2, issue["what"], style.wrapped())
        sheet.write_number(i, 3, issue["count"], style.wrapped(num_format="#,##0"))
        sheet.write_formula(i, 4, f"=D{i + 1}/{quality['rows_read']}", style.wrapped(num_format="0.0%"), issue["count"] / quality["rows_read"])
        sheet.write_string(i, 5, issue["done"], style.wrapped(indent=1))
        sheet.write_string(i, 6, examples, style.wrapped(font_color=style.colour("muted")))
        lines = max(len(issue["column"]) / 21, len(issue["what"]) / 38, len(issue["done"]) / 50, len(examples) / 74)
        sheet.set_row(i, 14.5 * (1 + int(lines)))
    filled = write_filled(book, sheet, TOP + len(issues) + 2, profile, style)
    sheet.autofilter(TOP - 1, 1, TOP + len(issues) - 1, len(columns))
    sheet.freeze_panes(TOP, 2)
    sheet.repeat_rows(TOP - 1)
    sheet.fit_to_pages(1, 0)
    page(sheet)
    return filled


def write_filled(book, sheet, top, profile, style):
    columns = profile["columns"][:FILLED_MAX]
    sheet.write(top, 1, "Filled cells by column", style.get(font_size=12, bold=True, font_color=style.colour("deep")))
    for i, label in enumerate(("Column", "Read as", "Filled", "Share")):
        sheet.write(top + 1, 1 + i, label, style.header(align="right" if i > 1 else "left"))
    for row, column in enumerate(columns, top + 2):
        sheet.write_string(row, 1, column["name"], style.cell(bold=True))
        sheet.write_string(row, 2, " ".join(filter(None, [column["type"], column.get("kind")])), style.cell())
        sheet.write_number(row, 3, column["filled"], style.cell("#,##0"))
        sheet.write_formula(row, 4, f"=D{row + 1}/{profile['rows']}", style.cell("0.0%"), column["filled"] / profile["rows"])
    place = (top + 2, len(columns))
    sheet.insert_chart(top + 1, 5, filled_chart(book, sheet, place, style, {"width": 640, "height": max(200, 70 + 21 * len(columns))}), {"x_offset": 20})
    return place


def filled_chart(book, sheet, place, style, size):
    first, count = place
    chart = book.add_chart({"type": "bar"})
    name = sheet.get_name()
    chart.add_series(
        {
            "name": "Filled",
            "categories": [name, first, 1, first + count - 1, 1],
            "values": [name, first, 4, first + count - 1, 4],
            "fill": {"color": style.colour("accent")},
            "gap": 45,
        }
    )
    style.dress(chart, "Share of rows filled, by column", "Column", "Share of rows", "0%", bars=True)
    chart.set_size(size)
    return chart


def write_notes(sheet, analysis, profile, style):
    sheet.set_column(0, 0, 2)
    sheet.set_column(1, 1, 24)
    sheet.set_column(2, 2, 100)
    sheet.write(1, 1, "Notes: method and assumptions", style.title())
    sheet.set_row(1, 28)
    for i, (label, text) in enumerate(notes(analysis, profile), 3):
        sheet.write_string(i, 1, label, style.wrapped(bold=True))
        sheet.write_string(i, 2, text, style.wrapped())
        sheet.set_row(i, 15 * (1 + len(text) // 105) + 4)
    sheet.fit_to_pages(1, 1)
    page(sheet)


def notes(analysis, profile):
    measure = analysis["measure"]
    ways = {"sum": "added up", "mean": "averaged, because adding it up would mean nothing", "count": "counted, as no column holds an amount"}
    header = "with a header" if profile["has_header"] else "without a header; columns were numbered"
    lines = [
        ("Made by", "Deckhand's scripted model: a fixed sequence of programs, not a language model. It read the table without knowing it."),
        ("Source", f"{profile['file'].split('/')[-1]}: {profile['encoding']}, delimiter {profile['delimiter']!r}, {header}."),
        ("Measure", f"{measure['label']}, {ways[measure['agg']]}. Chosen from the column types and names."),
        ("Time", f"{analysis['time']}, by {analysis['grain']}." if analysis["time"] else "No column holds dates, so nothing is said about development."),
    ]
    if analysis["current"]:
        lines.append(("Comparison", f"{analysis['current']['label']} against {analysis['previous']['label']} ({analysis['against']}), complete {analysis['grain']}s only."))
    if analysis["held"]["rows"]:
        lines.append(("Held out", f"{analysis['held']['rows']:,} records ({analysis['held']['text']}) because {analysis['held']['why']}. They are in the Data sheet with Counted = No."))
    lines += [
        ("Cleaning", "Duplicates are removed, spellings merged, dates and numbers made one format. Unreadable cells are left blank. The Data quality sheet counts every change."),
        ("Outliers", "Other unusual values are flagged in the Flags column and stay in every figure."),
        ("Formulas", "Figures on the Summary, period and segment sheets are formulas over the Data sheet. Findings in words were computed from the same records and do not follow later changes."),
        ("Not known", "What the columns mean to the business, exchange rates, and whether a change has a cause that is not in this table."),
    ]
    return lines
