import { createStreamedAnswers, type StreamedAnswers } from "./answer-stream.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { deliverOutputs } from "./outputs.ts";
import { fold, foldPreview, type Outcome, type Turn } from "./progress.ts";
import { endMessage, errorMessage, notice, TURN_STATES, waitingElsewhereMessage } from "./render.ts";
import type { EventPreview, SessionEvent } from "./session-events.ts";
import { askThread, closeInThread } from "./thread-approvals.ts";
import { createThreadNotes } from "./thread-notes.ts";
import { createThreadPosts } from "./thread-posts.ts";
import { createTurnStatus } from "./turn-status.ts";

/**
 * Turns the events of one session, in their order, into posts. Events may be given again from the cursor on: the cursor
 * stays before a turn that waits for people, so that the same turn goes on in the same messages when they have decided.
 */
export interface TurnPoster {
  /** Resolves when what this event calls for is in the thread. True when nothing comes after it until people do something. */
  event(event: SessionEvent): Promise<boolean>;
  preview(preview: EventPreview): void;
  /** The events so far are all there are: what the turn is at now is shown. */
  caughtUp(): Promise<void>;
  contactLost(): void;
  /** Whether more will happen without people doing anything, given the types of what waits to be taken up. */
  expects(queued: readonly SessionEvent["type"][]): boolean;
  /** The session was deleted. */
  sessionGone(): Promise<void>;
  stop(): void;
}

type Waiting = Extract<Outcome, { type: "waiting" }>;
type Ended = Extract<Outcome, { type: "ended" }>;

const LOST_CONTACT = "Lost contact with the server. Trying again.";

export function createTurnPoster(deps: DeliveryScope): TurnPoster {
  const { surface, store, thread, sessionId } = deps;
  const posts = createThreadPosts(deps);
  const { once, post } = posts;
  const inThread = { ...deps, once, post };
  const status = createTurnStatus(deps, once);
  const notes = createThreadNotes(deps);
  let turn: Turn | null = null;
  let streamed: StreamedAnswers | null = null;
  let waiting: Waiting | null = null;
  /** What is shown is the present; before that, it would be what has long passed. */
  let live = false;

  /** The turn has begun, or goes on after it waited. */
  const takeUp = async (turn: Turn) => {
    if (surface.limits(thread).drafts === "stream") streamed ??= createStreamedAnswers({ ...deps, once }, turn.id);
    await status.open(turn);
    if (!live || turn.waitingSince !== null || turn.endedAt !== null) return;
    await notes.reached("working");
    status.show(turn);
  };

  /** Nothing more happens until people have decided. */
  const rest = async (turn: Turn, { eventId, elsewhere }: Waiting) => {
    for (const ask of turn.asks) await askThread(inThread, ask);
    if (elsewhere) await post(`elsewhere:${turn.id}`, waitingElsewhereMessage());
    await deliverOutputs(inThread, eventId);
    await notes.spent(turn);
    await notes.reached("waiting");
    await status.close(turn, null);
  };

  /** `ended` is null when nothing ran: the session went idle, or ended, by itself. */
  const endTurn = async (ended: Turn | null, { eventId, at, how }: Ended) => {
    await streamed?.end();
    const last = endMessage(how);
    if (last) await post(`end:${eventId}`, last);
    await deliverOutputs(inThread, eventId);
    if (ended) {
      await notes.spent(ended);
      await notes.reached(TURN_STATES[how]);
      await status.close(ended, how);
    }
    await store.deliveries.moveCursor(thread, sessionId, { eventId, at });
    if (how === "terminated") await store.threads.detachSession(thread, sessionId);
    streamed = null;
    turn = null;
  };

  const bring = async (turn: Turn | null, outcome: Outcome) => {
    switch (outcome.type) {
      case "answer":
        return posts.postAnswer(outcome.id, outcome.text, streamed);
      case "error":
        return post(`error:${outcome.id}`, errorMessage(outcome.error));
      case "decided":
        return closeInThread(inThread, outcome.ask, outcome.decision);
      case "moot":
        return closeInThread(inThread, outcome.ask, null);
      case "waiting":
        waiting = outcome;
        // One that lies in the past is over, or is caught up with.
        return live && turn ? rest(turn, outcome) : undefined;
      case "ended":
        return endTurn(turn, outcome);
    }
  };

  return {
    async event(event) {
      const progress = fold(turn, event);
      turn = progress.turn;
      if (turn) await takeUp(turn);
      for (const outcome of progress.outcomes) await bring(progress.turn, outcome);
      if (turn) streamed?.follow(turn);
      return progress.outcomes.some(({ type }) => type === "ended" || type === "waiting");
    },

    preview(preview) {
      turn = foldPreview(turn, preview);
      if (!turn) return;
      status.show(turn);
      streamed?.follow(turn);
    },

    async caughtUp() {
      live = true;
      if (!turn) return;
      if (turn.waitingSince !== null && waiting) return rest(turn, waiting);
      await takeUp(turn);
    },

    contactLost() {
      if (turn) status.show({ ...turn, note: LOST_CONTACT });
    },

    expects(queued) {
      if (turn === null) return queued.length > 0;
      // What people write meanwhile is taken up after they have decided.
      return turn.waitingSince === null || queued.some((type) => type !== "user.message");
    },

    async sessionGone() {
      await post(`gone:${sessionId}`, notice("warning", "This session was deleted. Write again to start a new one."));
      await store.threads.detachSession(thread, sessionId);
    },

    stop: () => status.stop(),
  };
}
