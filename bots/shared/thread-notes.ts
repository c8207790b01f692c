import { placeOf } from "./chat-place.ts";
import type { ThreadSummary } from "./chat-records.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import type { Turn } from "./turn.ts";

/** Writes down what a thread is at, for lists and limits. Does nothing where no records are kept. */
export interface ThreadNotes {
  /** Notes it when it is news to this process. */
  reached(state: ThreadSummary["state"]): Promise<void>;
  /** Notes what the session has used by now, if the server said it. */
  spent(turn: Turn): Promise<void>;
}

export function createThreadNotes({ records, thread, sessionId }: DeliveryScope): ThreadNotes {
  let noted: ThreadSummary["state"] | null = null;
  return {
    async reached(state) {
      if (!records || noted === state) return;
      await records.directory.reached(thread, state);
      noted = state;
    },

    async spent({ usage }) {
      if (!records || !usage) return;
      const summary = await records.directory.summary(thread);
      await records.spend.record({
        sessionId,
        place: placeOf(thread),
        requester: summary?.requester ?? null,
        totalCents: usage.costCents ?? 0,
        totalTokens: usage.tokens,
      });
    },
  };
}
