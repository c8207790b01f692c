import type { ToolCall } from "../script.ts";
import type { ProfileResult } from "./results.ts";
import { mentioned, type Wishes } from "./wishes.ts";

export const FOLDER = "/workspace/report";
export const WORKBOOK = "/mnt/session/outputs/report.xlsx";
export const DECK = "/mnt/session/outputs/deck.pptx";

/** A large table takes minutes where the shipped one takes seconds. */
const PROGRAM_TIMEOUT_MS = 600_000;
const DIMENSIONS_MAX = 5;

export function writeFiles(files: readonly { name: string; content: string }[]): ToolCall[] {
  return files.map(({ name, content }) => ({ name: "write", input: { file_path: `${FOLDER}/${name}`, content } }));
}

export function peek(path: string): ToolCall {
  const file = quote(path);
  return bash(`ls -l ${file} && file -b ${file} && head -c 1500 ${file} | cat -v | head -n 12`);
}

export function profile(path: string): ToolCall {
  return bash(`cd ${FOLDER} && python3 profile_table.py ${quote(path)}`);
}

export function clean(): ToolCall {
  return bash(`cd ${FOLDER} && python3 clean_table.py`);
}

/** Chooses from the profile what to analyse: columns that the user named go first. */
export function analyse(profile: ProfileResult, wishes: Wishes, messages: readonly string[]): ToolCall {
  const { measures, times, dimensions } = profile.roles;
  const measure = mentioned(measures, messages)[0] ?? measures[0];
  const time = mentioned(times, messages)[0] ?? times[0];
  const named = mentioned(dimensions, messages);
  const chosen = [...named, ...dimensions.filter((name) => !named.includes(name))].slice(0, DIMENSIONS_MAX);
  const focus = wishes.focus ? `${wishes.focus.column}=${wishes.focus.value}` : null;
  return bash(
    `cd ${FOLDER} && python3 analyse.py` +
      option("measure", measure) +
      option("time", time) +
      chosen.map((name) => option("dimension", name)).join("") +
      option("grain", wishes.grain) +
      option("focus", focus),
  );
}

export function buildWorkbook(wishes: Wishes): ToolCall {
  return bash(`cd ${FOLDER} && python3 workbook.py --out ${WORKBOOK}${look(wishes)}`);
}

export function buildDeck(wishes: Wishes, tight: boolean): ToolCall {
  return bash(`cd ${FOLDER} && python3 storyline.py${look(wishes)}${tight ? " --tight" : ""} && node deck.cjs ${DECK}`);
}

/** `round` tells a second check from the first, which would else be the same call. */
export function check(wishes: Wishes, round: number): ToolCall {
  const again = round > 1 ? `  # check ${round}` : "";
  return bash(`cd ${FOLDER} && python3 check.py --workbook ${WORKBOOK}${wishes.deck ? ` --deck ${DECK}` : ""}${again}`);
}

/** A deck from an earlier turn must not be delivered beside a workbook that has moved on. */
export function removeDeck(): ToolCall {
  return bash(`rm -f ${DECK}`);
}

function look(wishes: Wishes): string {
  return option("title", wishes.title) + option("accent", wishes.accent);
}

function bash(command: string): ToolCall {
  return { name: "bash", input: { command, timeout_ms: PROGRAM_TIMEOUT_MS } };
}

/** With "=", so that a value that begins with a dash is not taken for an option. */
function option(name: string, value: string | null | undefined): string {
  return value === null || value === undefined ? "" : ` --${name}=${quote(value)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
