import { APIConnectionError, APIError, APIUserAbortError } from "@anthropic-ai/sdk";

/** Whether the same request may succeed later: no connection, a busy server, or a failure on its side. */
export function isTransient(error: unknown): boolean {
  if (error instanceof APIUserAbortError) return false;
  if (error instanceof APIConnectionError) return true;
  if (error instanceof APIError) {
    // An error frame inside a stream has no status.
    const status: unknown = error.status;
    if (typeof status !== "number") return true;
    return status >= 500 || status === 408 || status === 409 || status === 429;
  }
  // What fetch throws when a connection breaks in the middle of a body.
  return error instanceof TypeError;
}

/** What the server said, without status code and JSON around it. */
export function apiErrorText(error: unknown): string | null {
  if (error instanceof APIConnectionError) return "The server could not be reached.";
  if (!(error instanceof APIError)) return null;
  const body: unknown = error.error;
  const inner = typeof body === "object" && body !== null && "error" in body ? body.error : null;
  const message = typeof inner === "object" && inner !== null && "message" in inner ? inner.message : null;
  return typeof message === "string" ? message : null;
}
