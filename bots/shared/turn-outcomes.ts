import type { StreamedAnswers } from "./answer-stream.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { deliverOutputs } from "./outputs.ts";
import { endMessage, errorMessage, TURN_STATES, waitingElsewhereMessage } from "./render.ts";
import { askThread, closeInThread } from "./thread-approvals.ts";
import { createThreadNotes } from "./thread-notes.ts";
import { createThreadPosts } from "./thread-posts.ts";
import { createTurnStatus } from "./turn-status.ts";
import type { Outcome, Turn } from "./turn.ts";

export type Waiting = Extract<Outcome, { type: "waiting" }>;
export type Ended = Extract<Outcome, { type: "ended" }>;
type Said = Exclude<Outcome, Waiting | Ended>;

/** Where the outcomes of a session's turns go. */
export type TurnParts = ReturnType<typeof createTurnParts>;

export function createTurnParts(deps: DeliveryScope) {
  const posts = createThreadPosts(deps);
  const { once, post } = posts;
  return {
    posts,
    inThread: { ...deps, once, post },
    status: createTurnStatus(deps, once),
    notes: createThreadNotes(deps),
  };
}

/** Brings what was said, or decided, into the thread. */
export async function bringSaid(
  { posts, inThread }: TurnParts,
  outcome: Said,
  streamed: StreamedAnswers | null,
): Promise<void> {
  switch (outcome.type) {
    case "answer":
      return posts.postAnswer(outcome.id, outcome.text, streamed);
    case "error":
      return posts.post(`error:${outcome.id}`, errorMessage(outcome));
    case "decided":
      return closeInThread(inThread, outcome.ask, outcome.decision);
    case "moot":
      return closeInThread(inThread, outcome.ask, null);
  }
}

/** Asks people what the turn waits for: nothing more happens until they have decided. */
export async function rest(parts: TurnParts, turn: Turn, { eventId, elsewhere }: Waiting): Promise<void> {
  const { posts, inThread, status, notes } = parts;
  for (const ask of turn.asks) await askThread(inThread, ask);
  if (elsewhere) await posts.post(`elsewhere:${turn.id}`, waitingElsewhereMessage());
  await deliverOutputs(inThread, eventId);
  await notes.spent(turn);
  await notes.reached("waiting");
  await status.close(turn, null);
}

/** Brings the end of a turn into the thread. `turn` is null when nothing ran: the session went idle, or ended, by itself. */
export async function finish(parts: TurnParts, turn: Turn | null, { eventId, at, how }: Ended): Promise<void> {
  const { posts, inThread, status, notes } = parts;
  const { store, thread, sessionId } = inThread;
  const last = endMessage(how);
  if (last) await posts.post(`end:${eventId}`, last);
  await deliverOutputs(inThread, eventId);
  if (turn) {
    await notes.spent(turn);
    await notes.reached(TURN_STATES[how]);
    await status.close(turn, how);
  }
  await store.deliveries.moveCursor(thread, sessionId, { eventId, at });
  if (how === "terminated") await store.threads.detachSession(thread, sessionId);
}
