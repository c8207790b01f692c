"""Renders the finished files and checks them: formulas agree with pandas, nothing is an error, nothing overflows.

    python3 check.py [--workbook report.xlsx] [--deck deck.pptx]     pictures go to ./render
"""

import argparse
import pathlib
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from check_deck import check_deck
from check_workbook import check_workbook, without_cached_values
from running import report, run

CONVERT_TIMEOUT_S = 240
PAGES_MAX = 12
LARGE_BYTES = 6_000_000
PDF_OF_FIRST_SHEETS = 'pdf:calc_pdf_Export:{"PageRange":{"type":"string","value":"1-%d"}}' % PAGES_MAX


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--workbook")
    parser.add_argument("--deck")
    args = parser.parse_args()
    render = pathlib.Path("render")
    shutil.rmtree(render, ignore_errors=True)
    render.mkdir()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers(args.workbook)) as pool:
        work = pathlib.Path(folder)
        jobs = {}
        if args.deck:
            jobs["deck"] = pool.submit(convert, args.deck, "pdf", work / "deck")
        if args.workbook:
            bare = without_cached_values(args.workbook, work / "bare.xlsx")
            jobs["pages"] = pool.submit(convert, args.workbook, PDF_OF_FIRST_SHEETS, work / "pages")
            jobs["computed"] = pool.submit(convert, bare, "xlsx", work / "computed")
        made = {name: job.result() for name, job in jobs.items()}
        facts, problems = {}, []
        if args.workbook:
            facts |= check_workbook(args.workbook, made["computed"], made["pages"], problems)
            pictures(made["pages"], render / "sheet", 70)
        if args.deck:
            facts |= check_deck(args.deck, made["deck"], problems)
            pictures(made["deck"], render / "slide", 80)
            overview(sorted(render.glob("slide-*.png")), render / "deck.png")
    for problem in problems:
        print(f"- {problem}")
    pngs = sorted(str(path) for path in render.iterdir())
    print(f"{len(pngs)} pictures; {len(problems)} problems; " + ", ".join(f"{key} {value}" for key, value in facts.items()))
    report({**facts, "problems": problems[:20], "pictures": len(pngs)})


def workers(workbook):
    """LibreOffice takes most of a gigabyte for a large workbook: then one at a time."""
    large = workbook and pathlib.Path(workbook).stat().st_size > LARGE_BYTES
    return 1 if large else 3


def convert(source, target, folder):
    """Each conversion has a profile of its own, so that several can run at once."""
    command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", target, "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=CONVERT_TIMEOUT_S)
    made = folder / f"{pathlib.Path(source).stem}.{target.split(':')[0]}"
    if not made.exists():
        raise RuntimeError(f"LibreOffice made no {made.name} of {source}: {done.stdout} {done.stderr}")
    return made


def pictures(pdf, prefix, dots_per_inch):
    subprocess.run(["pdftoppm", "-r", str(dots_per_inch), "-png", str(pdf), str(prefix)], check=True, timeout=CONVERT_TIMEOUT_S)


def overview(slides, path, columns=3, gap=10):
    """All slides on one picture."""
    images = [Image.open(slide).convert("RGB").resize((533, 300)) for slide in slides]
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * (533 + gap) + gap, rows * (300 + gap) + gap), "#C9D1D9")
    for i, image in enumerate(images):
        sheet.paste(image, (gap + i % columns * (533 + gap), gap + i // columns * (300 + gap)))
    sheet.save(path)


if __name__ == "__main__":
    run(main)
