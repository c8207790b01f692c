export interface RefusalOptions {
  /** What a caller that knows Slack never asks for: kept in `violations`. */
  violation?: string;
  /** More fields of the answer. */
  more?: Record<string, unknown>;
}

/** The method answers `{ ok: false, error: code }`. */
export class Refusal extends Error {
  readonly code: string;
  readonly violation: string | null;
  readonly more: Record<string, unknown>;

  constructor(code: string, { violation, more = {} }: RefusalOptions = {}) {
    super(code);
    this.code = code;
    this.violation = violation ?? null;
    this.more = more;
  }
}

/** Refuses arguments that Slack would call wrong, and says which. */
export function invalid(code: string, problems: readonly string[]): Refusal {
  const messages = problems.map((problem) => `[ERROR] ${problem}`);
  return new Refusal(code, { violation: problems.join("; "), more: { response_metadata: { messages } } });
}
