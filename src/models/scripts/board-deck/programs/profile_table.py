"""Profiles a table nobody has described: how it is written, what each column is, and which columns are worth analysing.

    python3 profile_table.py FILE        writes profile.json, prints a summary
"""

import json
import sys

from columns import infer_column
from quality import QualityLog
from roles import rank_roles
from running import report, run
from shifted import realign
from table_reader import read_table


def main(path):
    table = read_table(path)
    columns = infer_columns(table.header, table.rows)
    mended = realign(table.rows, columns, QualityLog())
    if mended is not table.rows:
        columns = infer_columns(table.header, mended)
    roles = rank_roles(columns, len(table.rows))
    profile = {
        "file": path,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "has_header": table.has_header,
        "rows": len(table.rows),
        "columns": columns,
        "roles": roles,
    }
    with open("profile.json", "w", encoding="utf-8") as file:
        json.dump(profile, file, ensure_ascii=False)
    print_summary(profile)
    report(
        {
            "rows": len(table.rows),
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "has_header": table.has_header,
            "columns": [{"name": c["name"], "type": c["type"]} for c in columns][:60],
            "roles": {key: names[:12] for key, names in roles.items()},
            "values": segment_values(columns, roles),
        }
    )


def infer_columns(header, rows):
    return [infer_column(name, [row[i] for row in rows]) for i, name in enumerate(header)]


def print_summary(profile):
    print(f"{profile['rows']:,} rows, {len(profile['columns'])} columns, {profile['encoding']}, delimiter {profile['delimiter']!r}")
    for column in profile["columns"][:40]:
        kind = f"{column['type']} {column.get('kind', '')}".strip()
        written = ", ".join(column.get("formats", column.get("styles", {})))
        print(
            f"- {column['name']}: {kind}; {column['filled']:,} filled, {column['distinct']:,} distinct"
            + (f", {column['unreadable']:,} unreadable" if column.get("unreadable") else "")
            + (f"; written as {written}" if written else "")
        )
    if len(profile["columns"]) > 40:
        print(f"- and {len(profile['columns']) - 40} more columns")


def segment_values(columns, roles):
    """What a person may name in a message to put the focus on it."""
    by_name = {column["name"]: column for column in columns}
    return {name: sorted(set(by_name[name]["groups"].values()))[:40] for name in roles["dimensions"][:8]}


if __name__ == "__main__":
    run(lambda: main(sys.argv[1]))
