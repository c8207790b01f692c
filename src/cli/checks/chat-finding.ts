/** What `slack check` or `teams check` found out about one thing. */
export interface ChatFinding {
  /** `missing` keeps some of it from working; `cannot_tell` is for a person to look at, or shows at first use. */
  state: "ok" | "missing" | "cannot_tell";
  subject: string;
  detail: string;
  /** What to do about it. */
  mend?: string;
}

const STATES = { ok: "ok", missing: "missing", cannot_tell: "cannot tell" } as const;
const STATE_CHARS = STATES.cannot_tell.length;

/** Pure: for people, a line for each, and one below it on what to do. */
export function findingLines(findings: readonly ChatFinding[]): string {
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  const lines = findings.map(({ state, subject, detail, mend }) => {
    const line = `${STATES[state].padEnd(STATE_CHARS)}  ${subject.padEnd(width)}  ${detail}\n`;
    return mend === undefined ? line : `${line}${" ".repeat(STATE_CHARS + width + 4)}→ ${mend}\n`;
  });
  return lines.join("");
}
