/** What went wrong, as a caller of the API would sort it. One code, one HTTP status (`src/api/errors.ts`). */
export type ErrorCode =
  | "invalid_request"
  | "authentication"
  | "permission"
  | "not_found"
  | "conflict"
  | "request_too_large"
  | "rate_limit"
  | "overloaded"
  | "unavailable"
  | "internal";

export interface AppErrorOptions extends ErrorOptions {
  /** Becomes `error.details` on the wire, e.g. `{ error_code: "file_expired" }`. */
  details?: Record<string, unknown>;
}

/** An expected failure with a message that is safe and useful to show to whoever made the request. */
export class AppError extends Error {
  override readonly name: string = "AppError";
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = options.details;
  }
}

export const invalid = (message: string, options?: AppErrorOptions) =>
  new AppError("invalid_request", message, options);
export const notFound = (what: string, id: string) => new AppError("not_found", `${what} \`${id}\` was not found.`);

/** Trying again later may succeed. `retryAfterMs` is the least sensible wait; null leaves it to the caller's backoff. */
export class RetryableError extends Error {
  override readonly name: string = "RetryableError";
  readonly retryAfterMs: number | null;

  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number | null } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Trying again cannot succeed. */
export class TerminalError extends Error {
  override readonly name: string = "TerminalError";
}

/** Another harness holds the session now. Whoever sees this must stop at once and write nothing more. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";

  constructor(sessionId: string) {
    super(`The lease on ${sessionId} belongs to another harness.`);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
