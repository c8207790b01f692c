import { APIError, NotFoundError, type Anthropic } from "@anthropic-ai/sdk";

const REQUEST_TIMEOUT_MS = 15_000;
/** What a session that takes nothing more answers with. */
const REFUSALS = new Set([400, 404]);

/**
 * Whether an error means that a session is gone, archived or terminated, so that the thread needs another one.
 * @throws API errors; the signal's reason
 */
export async function isOver(
  client: Anthropic,
  sessionId: string,
  error: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(error instanceof APIError) || !REFUSALS.has(Number(error.status))) return false;
  try {
    const session = await client.beta.sessions.retrieve(sessionId, {}, { signal, timeout: REQUEST_TIMEOUT_MS });
    return session.archived_at !== null || session.status === "terminated";
  } catch (reason) {
    if (reason instanceof NotFoundError) return true;
    throw reason;
  }
}
