import type { CallResult, ToolCall } from "../../src/models/scripts/script.ts";
import { TABLE } from "./scripted-conversation.ts";

const PROFILE = {
  rows: 1200,
  encoding: "utf-8",
  delimiter: ",",
  columns: [{ name: "Net revenue", type: "number" }],
  roles: { times: ["Order date"], measures: ["Net revenue", "Margin"], dimensions: ["Region", "Channel"] },
  values: { Region: ["North", "South"], Channel: ["Partner"] },
};
const CLEAN = {
  rows_read: 1200,
  rows_kept: 1180,
  issues: [{ column: "Region", what: "Missing", count: 12, done: "shown as (blank)" }],
};
const ANALYSIS = {
  measure: "Net revenue",
  total: "€4.2M",
  records: 1178,
  span: "Jan 2024 – Dec 2024",
  held: { rows: 2, text: "€90k", why: "they contradict themselves" },
  findings: [{ id: "decline", headline: "South lost €120k", text: "South went from €500k to €380k." }],
};
const CHECK = { sheets: 8, formulas: 240, slides: 9, deck_charts: 6, problems: [] as string[] };

export interface Overrides {
  /** Replaces the outcome of commands that contain the key. */
  [command: string]: (attempt: number) => CallResult | string;
}

/** What the programs would print, with the outcomes that a test replaces. */
export function outcomes(overrides: Overrides = {}): (call: ToolCall) => CallResult | string {
  const attempts = new Map<string, number>();
  return (call) => {
    if (call.name === "glob") return TABLE;
    if (call.name !== "bash") return "done";
    const command = String(call.input["command"]);
    const replaced = Object.entries(overrides).find(([part]) => command.includes(part));
    if (replaced) {
      const [part, outcome] = replaced;
      attempts.set(part, (attempts.get(part) ?? 0) + 1);
      return outcome(attempts.get(part) ?? 1);
    }
    return usual(command);
  };
}

export const result = (value: unknown) => `some lines for people\nRESULT ${JSON.stringify(value)}`;
export const checked = (problems: string[]) => result({ ...CHECK, problems });

function usual(command: string): string {
  if (command.includes("profile_table.py")) return result(PROFILE);
  if (command.includes("clean_table.py")) return result(CLEAN);
  if (command.includes("analyse.py")) return result(ANALYSIS);
  if (command.includes("check.py"))
    return command.includes("--deck") ? result(CHECK) : result({ ...CHECK, slides: undefined, deck_charts: undefined });
  return "ok";
}
