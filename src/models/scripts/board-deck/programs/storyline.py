"""Decides what the board sees, in which order, and writes it as a drawing plan for deck.cjs.

    python3 storyline.py [--title TEXT] [--accent teal]      reads analysis.json, writes deck.json
"""

import argparse
import json

import fit
from distributions import completeness
from measure import percent
from palette import palette
from running import report, run
from slides import closing_slide, finding_slide, quality_slide, summary_slide, title_slide
from workbook import default_title, read_json

SLIDES_OF_FINDINGS_MAX = 7
SUMMARY_MAX = 4
ISSUES_MAX = 8
ISSUES_BY_WEIGHT = {3: 4, 2: 2, 1: 2}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--title")
    parser.add_argument("--accent", default="teal")
    parser.add_argument("--tight", action="store_true", help="leave more room around every text")
    args = parser.parse_args()
    fit.SAFE = 0.88 if args.tight else fit.SAFE
    analysis, profile = read_json("analysis.json"), read_json("profile.json")
    title = args.title or default_title(profile)
    name = profile["file"].split("/")[-1]
    source = f"Source: {name}, {analysis['counted']:,} records" + (f", {analysis['span']}" if analysis["span"] else "") + ". Computed in report.xlsx."
    found = analysis["findings"][:SLIDES_OF_FINDINGS_MAX]
    made = "Prepared by Deckhand's scripted model: computed from the data, not written by a language model."
    slides = [title_slide(title, subtitle(analysis), headline_figures(analysis), [made, source])]
    slides.append(summary_slide("Executive summary", summary_title(analysis), found[:SUMMARY_MAX], source, 2))
    slides += [finding_slide(item, source, number) for number, item in enumerate(found, 3)]
    slides.append(quality_slide(quality_title(analysis), issues(analysis), caveats(analysis), completeness(profile), source, len(slides) + 1))
    slides.append(closing_slide(f"Recommended: {count(len(analysis['advice']))}", analysis["advice"], basis(analysis), source, len(slides) + 1))
    with open("deck.json", "w", encoding="utf-8") as file:
        json.dump({"title": title, "palette": palette(args.accent), "slides": slides}, file, ensure_ascii=False)
    print(f"deck.json: {len(slides)} slides, {sum(e['type'] == 'chart' for s in slides for e in s['elements'])} charts")
    report({"slides": len(slides)})


def subtitle(analysis):
    parts = [analysis["measure"]["label"]]
    if analysis["span"]:
        parts.append(analysis["span"])
    return "  ·  ".join([*parts, "Board summary"])


def headline_figures(analysis):
    """Up to three (figure, what it is) for the first slide."""
    measure = analysis["measure"]
    figures = [] if measure["agg"] == "count" else [(analysis["total_text"], measure["named"][:1].upper() + measure["named"][1:])]
    figures.append((f"{analysis['counted']:,}", "Records"))
    return figures + [(item["key"], item["headline"]) for item in analysis["findings"][: 3 - len(figures)]]


def summary_title(analysis):
    measure = analysis["measure"]
    n = min(SUMMARY_MAX, len(analysis["findings"]))
    if measure["agg"] == "count":
        lead = f"{analysis['total']:,.0f} records"
    elif measure["agg"] == "mean":
        lead = f"{measure['named'][:1].upper()}{measure['named'][1:]} is {analysis['total_text']}"
    else:
        lead = f"{measure['label']} of {analysis['total_text']}"
    span = f", {analysis['span']}" if analysis["span"] else ""
    return f"{lead}{span}: {['', 'one thing', 'two things', 'three things', 'four things'][n]} to know"


def count(n):
    return ["nothing", "one step", "two steps", "three steps", "four steps", "five steps"][min(n, 5)]


def quality_title(analysis):
    quality = analysis["quality"]
    removed = quality["rows_read"] - quality["rows_kept"]
    if not quality["issues"]:
        return f"All {quality['rows_read']:,} rows could be used as they came"
    kept = f"{percent(analysis['counted'] / max(1, quality['rows_read']))} of {quality['rows_read']:,} rows carry the figures"
    return f"{kept}; {removed:,} were duplicates" if removed else kept


def issues(analysis):
    """Those that put figures at stake first, but a few of each weight."""
    ranked = sorted(merged(analysis["quality"]["issues"]), key=lambda issue: (-issue["weight"], -issue["count"]))
    picked = [issue for weight, n in ISSUES_BY_WEIGHT.items() for issue in [i for i in ranked if i["weight"] == weight][:n]]
    picked += [issue for issue in ranked if issue not in picked][: ISSUES_MAX - len(picked)]
    return sorted(picked, key=ranked.index)


def basis(analysis):
    quality = analysis["quality"]
    lines = [f"{analysis['counted']:,} of {quality['rows_read']:,} rows; what was left out, and why, is in the workbook."]
    if analysis["current"]:
        lines.append(f"Comparisons: {analysis['current']['label']} against {analysis['previous']['label']}, complete {analysis['grain']}s only.")
    lines.append("report.xlsx computes every figure by formulas over the cleaned data, so a correction there shows at once.")
    return lines


def merged(issues):
    """One line for the same issue in several columns."""
    kinds = {}
    for issue in issues:
        kinds.setdefault((issue["what"], issue["done"]), []).append(issue)
    return [group[0] | {"column": listed([i["column"] for i in group]), "count": max(i["count"] for i in group)} for group in kinds.values()]


def listed(names):
    return ", ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"


def caveats(analysis):
    held, undated = analysis["held"], analysis["undated"]
    lines = []
    if held["rows"]:
        lines.append(f"{held['rows']:,} records worth {held['text']} are held out of all figures because {held['why']}.")
    if undated and undated["count"]:
        lines.append(f"{undated['count']:,} records have no usable date; they count in totals but in no {analysis['grain']}.")
    if any("another currency" in issue["what"] or "currency other" in issue["what"] for issue in analysis["quality"]["issues"]):
        lines.append("Amounts in other currencies are set aside: no exchange rate was given.")
    if analysis["counted"] < 100:
        lines.append(f"With {analysis['counted']:,} records, single rows move every figure.")
    lines = lines[:3]
    return [*lines, "Every change is counted, with examples, on the Data quality sheet of report.xlsx."]


if __name__ == "__main__":
    run(main)
