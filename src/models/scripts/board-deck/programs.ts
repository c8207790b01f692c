import { readFileSync } from "node:fs";

export type ProgramGroup = keyof typeof GROUPS;
export type Programs = Record<ProgramGroup, { name: string; content: string }[]>;

/** The files in `programs/`, in the order in which the script needs them. */
const GROUPS = {
  profile: [
    "values.py",
    "columns.py",
    "quality.py",
    "table_reader.py",
    "running.py",
    "shifted.py",
    "roles.py",
    "profile_table.py",
  ],
  clean: ["duplicates.py", "outliers.py", "clean_table.py"],
  analyse: [
    "measure.py",
    "periods.py",
    "segments.py",
    "consistency.py",
    "findings.py",
    "relations.py",
    "distributions.py",
    "focus.py",
    "analyse.py",
  ],
  workbook: [
    "palette.py",
    "formulas.py",
    "sheet_style.py",
    "sheet_data.py",
    "sheet_summary.py",
    "sheet_periods.py",
    "sheet_segments.py",
    "sheet_notes.py",
    "workbook.py",
  ],
  deck: ["fit.py", "slides.py", "storyline.py", "deck.cjs"],
  check: ["check_workbook.py", "check_deck.py", "check.py"],
} as const;

export function loadPrograms(): Programs {
  const read = (names: readonly string[]) =>
    names.map((name) => ({ name, content: readFileSync(new URL(`programs/${name}`, import.meta.url), "utf8") }));
  return {
    profile: read(GROUPS.profile),
    clean: read(GROUPS.clean),
    analyse: read(GROUPS.analyse),
    workbook: read(GROUPS.workbook),
    deck: read(GROUPS.deck),
    check: read(GROUPS.check),
  };
}
