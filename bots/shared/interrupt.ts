import { NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import type { ChatStore } from "./chat-store.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

export interface InterruptDeps {
  client: Anthropic;
  store: Pick<ChatStore, "deliveries">;
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 15_000;
/** The latest of these tells whether there is anything to stop. Input that no harness has taken up stands at the end. */
const TELLING_TYPES: NonNullable<Anthropic.Beta.Sessions.EventListParams["types"]> = [
  "user.message",
  "session.status_idle",
  "session.status_running",
  "session.status_terminated",
];

/**
 * Ends what the session is at: what runs, what is queued, an approval it waits for. The thread's status then says that the
 * turn was stopped. Calling it again is harmless.
 * @returns false, with nothing done, when there is nothing to stop or no such session any more
 * @throws API errors, after which it may be called again; the signal's reason
 */
export async function interrupt(
  { client, store, ensureDelivery }: InterruptDeps,
  thread: ChatThreadKey,
  sessionId: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (!(await isAtWork(client, sessionId, signal))) return false;
  await client.beta.sessions.events.send(
    sessionId,
    { events: [{ type: "user.interrupt" }] },
    { signal, timeout: REQUEST_TIMEOUT_MS },
  );
  await store.deliveries.wake(thread);
  await ensureDelivery(thread);
  return true;
}

/**
 * Whether something runs, is queued, or waits for an approval. One question, so that nothing can start or end between two.
 * @throws API errors; the signal's reason
 */
export async function isAtWork(client: Anthropic, sessionId: string, signal: AbortSignal): Promise<boolean> {
  try {
    const page = await client.beta.sessions.events.list(
      sessionId,
      { order: "desc", limit: 1, types: TELLING_TYPES },
      { signal, timeout: REQUEST_TIMEOUT_MS },
    );
    const latest = page.data[0];
    if (!latest || latest.type === "session.status_terminated") return false;
    return latest.type !== "session.status_idle" || latest.stop_reason.type === "requires_action";
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}
