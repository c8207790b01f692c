import { createStreamedAnswers, type StreamedAnswers } from "./answer-stream.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { fold, foldPreview } from "./progress.ts";
import { notice } from "./render.ts";
import type { EventPreview, SessionEvent } from "./session-events.ts";
import { bringSaid, createTurnParts, finish, rest, type Waiting } from "./turn-outcomes.ts";
import type { Outcome, Turn } from "./turn.ts";

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

const LOST_CONTACT = "Lost contact with the server. Trying again.";

export function createTurnPoster(deps: DeliveryScope): TurnPoster {
  const { surface, store, thread, sessionId } = deps;
  const parts = createTurnParts(deps);
  const { posts, status, notes } = parts;
  let turn: Turn | null = null;
  let streamed: StreamedAnswers | null = null;
  let waiting: Waiting | null = null;
  /** What is shown is the present; before that, it would be what has long passed. */
  let live = false;

  /** The turn has begun, or goes on after it waited. */
  const takeUp = async (turn: Turn) => {
    if (surface.limits(thread).drafts === "stream")
      streamed ??= createStreamedAnswers({ ...deps, once: posts.once }, turn.id);
    await status.open(turn);
    if (!live || turn.waitingSince !== null || turn.endedAt !== null) return;
    await notes.reached("working");
    status.show(turn);
  };

  const bring = async (shown: Turn | null, outcome: Outcome) => {
    switch (outcome.type) {
      case "waiting":
        waiting = outcome;
        // One that lies in the past is over, or is caught up with.
        if (live && shown) await rest(parts, shown, outcome);
        return;
      case "ended":
        await streamed?.end();
        await finish(parts, shown, outcome);
        streamed = null;
        turn = null;
        return;
      default:
        await bringSaid(parts, outcome, streamed);
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
      if (turn.waitingSince !== null && waiting) return rest(parts, turn, waiting);
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
      await posts.post(
        `gone:${sessionId}`,
        notice("warning", "This session was deleted. Write again to start a new one."),
      );
      await store.threads.detachSession(thread, sessionId);
    },

    stop: () => status.stop(),
  };
}
