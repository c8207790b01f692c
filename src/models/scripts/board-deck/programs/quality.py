"""The record of what was wrong with the data and what was done about it."""

import json


# How much an issue can do to the figures.
MATTER_OF_FORM, CONTENT_LOST, FIGURES_AT_STAKE = 1, 2, 3


class QualityLog:
    def __init__(self):
        self.issues = []

    def add(self, column, what, count, done, examples, examples_max=3, weight=MATTER_OF_FORM):
        """Does nothing for a count of zero, so that callers need not ask."""
        if count:
            shown = list(dict.fromkeys(" ".join(str(example).split())[:48] for example in examples))[:examples_max]
            self.issues.append({"column": column, "what": what, "count": int(count), "done": done, "examples": shown, "weight": weight})

    def missing(self, column, count, blank):
        if column["type"] == "empty":
            self.add(column["name"], "Empty column", count, "kept, not analysed", [])
        elif column["type"] != "text" and count <= column["filled"]:
            done = f"shown as {blank}" if column["type"] in ("category", "boolean") else "left blank"
            self.add(column["name"], "Missing", count, done, [], weight=CONTENT_LOST)

    def top(self, n):
        return sorted(self.issues, key=lambda issue: -issue["count"])[:n]

    def sort(self, columns):
        """The whole table first, then in the order of the columns."""
        self.issues.sort(key=lambda issue: columns.index(issue["column"]) if issue["column"] in columns else -1)

    def save(self, path, **facts):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**facts, "issues": self.issues}, file, ensure_ascii=False)
