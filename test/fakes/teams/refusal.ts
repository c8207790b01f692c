export interface RefusalOptions {
  /** What a bot that knows Teams never asks for: kept in `violations`. */
  violation?: string;
  headers?: Record<string, string>;
}

/** Answered with this status and `{ error: { code, message } }`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly code: string;
  readonly violation: string | null;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, { violation, headers = {} }: RefusalOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.violation = violation ?? null;
    this.headers = headers;
  }
}

/** 400, and a violation: the bot sent what Teams does not take, or what it takes and then shows wrongly. */
export function badSyntax(problem: string): Refusal {
  return new Refusal(400, "BadSyntax", problem, { violation: problem });
}
