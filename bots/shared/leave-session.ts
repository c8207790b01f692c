import { wait } from "./backoff.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

export interface LeaveDeps {
  store: Pick<ChatStore, "threads">;
  /** How long to wait for what the session still has to say; see `leaveSession`. */
  leaveWithinMs?: number;
}

/** A chat that takes no posts must not keep people from starting afresh. */
const LEAVE_WITHIN_MS = 10_000;
const POLL_MS = 50;

/**
 * Has the thread's next message begin another session. Waits until what the old one said last is in the thread, as nobody
 * delivers it afterwards: its end, and with it the approvals that it asked for. After `leaveWithinMs` it does without.
 * @throws the signal's reason, and then nothing has changed
 */
export async function leaveSession(
  { store, leaveWithinMs = LEAVE_WITHIN_MS }: LeaveDeps,
  thread: ChatThreadKey,
  sessionId: string,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + leaveWithinMs;
  for (let record = await store.threads.open(thread); record.busy; record = await store.threads.open(thread)) {
    if (record.sessionId !== sessionId) return;
    if (performance.now() >= until) break;
    await wait(POLL_MS, signal);
  }
  await store.threads.detachSession(thread, sessionId);
}
