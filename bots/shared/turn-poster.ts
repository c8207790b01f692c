import { messageOf, TerminalError } from "../../src/errors.ts";
import { createStreamedAnswers, type StreamedAnswers } from "./answer-stream.ts";
import type { ChatMessage, WordsMessage } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { keepStatus, type LiveStatus } from "./live-status.ts";
import { deliverOutputs } from "./outputs.ts";
import { postOnce, type PostOnce } from "./post-once.ts";
import { fold, foldPreview, type Outcome, type Turn, type TurnEnd } from "./progress.ts";
import {
  answerMessages,
  endMessage,
  errorMessage,
  notice,
  statusMessage,
  TURN_STATES,
  waitingElsewhereMessage,
} from "./render.ts";
import type { EventPreview, SessionEvent } from "./session-events.ts";
import { askThread, closeInThread } from "./thread-approvals.ts";
import { createThreadNotes } from "./thread-notes.ts";

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

const LOST_CONTACT = "Lost contact with the server. Trying again.";

export function createTurnPoster(deps: DeliveryScope): TurnPoster {
  const { surface, store, log, thread, sessionId, signal } = deps;
  const once: PostOnce = { surface, deliveries: store.deliveries, thread, signal };
  const notes = createThreadNotes(deps);
  let turn: Turn | null = null;
  let status: LiveStatus | null = null;
  let streamed: StreamedAnswers | null = null;
  let waiting: Waiting | null = null;
  /** What is shown is the present; before that, it would be what has long passed. */
  let live = false;

  const onError = (error: unknown) =>
    log.warn({ chat_thread_key: thread, error: messageOf(error) }, "status could not be updated");

  const draw = (turn: Turn, how: TurnEnd | null): ChatMessage =>
    statusMessage(turn, how, surface.limits(thread).drafts === "status");

  const openStatus = async (turn: Turn): Promise<LiveStatus> => {
    const shown = draw(turn, null);
    const post = (marker: string) => surface.post(thread, shown, marker, signal);
    const ref = await postOnce(once, `status:${turn.id}`, post);
    return keepStatus({ surface, thread, ref, shown, signal, onError });
  };

  /** Content that the surface will never take is logged and left out: the rest of the turn still has to come through. */
  const postBy = async (item: string, make: (marker: string) => Promise<string>) => {
    try {
      return await postOnce(once, item, make);
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      log.error({ chat_thread_key: thread, item, error: error.message }, "message refused by the surface");
      return null;
    }
  };
  const post = async (item: string, message: ChatMessage) => {
    await postBy(item, (marker) => surface.post(thread, message, marker, signal));
  };

  const postAnswer = async (id: string, text: string) => {
    const [first, ...others] = answerMessages(id, text, surface.limits(thread).markdownCharsMax);
    if (first) await postBeginning(id, first);
    for (const [index, message] of others.entries()) await post(`answer:${id}:${index + 1}`, message);
  };

  const postBeginning = async (id: string, message: WordsMessage) => {
    const item = `answer:${id}:0`;
    const into = streamed;
    if (!into) return post(item, message);
    const ref = await postBy(item, (marker) => into.post(id, message, marker));
    if (ref !== null) await into.posted(id, ref);
  };

  /** The turn has begun, or goes on after it waited. */
  const takeUp = async (turn: Turn) => {
    if (surface.limits(thread).drafts === "stream") streamed ??= createStreamedAnswers({ ...deps, once }, turn.id);
    status ??= await openStatus(turn);
    if (!live || turn.waitingSince !== null || turn.endedAt !== null) return;
    await notes.reached("working");
    status.show(draw(turn, null));
  };

  /** Nothing more happens until people have decided. */
  const rest = async (turn: Turn, { eventId, elsewhere }: Waiting) => {
    for (const ask of turn.asks) await askThread({ ...deps, once }, ask);
    if (elsewhere) await post(`elsewhere:${turn.id}`, waitingElsewhereMessage());
    await deliverOutputs({ ...deps, once, post }, eventId);
    await notes.spent(turn);
    await notes.reached("waiting");
    await status?.finish(draw(turn, null));
    status = null;
  };

  const endTurn = async ({ eventId, at, how }: Extract<Outcome, { type: "ended" }>) => {
    await streamed?.end();
    const last = endMessage(how);
    if (last) await post(`end:${eventId}`, last);
    await deliverOutputs({ ...deps, once, post }, eventId);
    if (turn) {
      await notes.spent(turn);
      await notes.reached(TURN_STATES[how]);
      await status?.finish(draw(turn, how));
    }
    await store.deliveries.moveCursor(thread, sessionId, { eventId, at });
    if (how === "terminated") await store.threads.detachSession(thread, sessionId);
    status = null;
    streamed = null;
    turn = null;
  };

  const bring = async (turn: Turn | null, outcome: Outcome) => {
    switch (outcome.type) {
      case "answer":
        return postAnswer(outcome.id, outcome.text);
      case "error":
        return post(`error:${outcome.id}`, errorMessage(outcome.error));
      case "decided":
        return closeInThread({ ...deps, once }, outcome.ask, outcome.decision);
      case "moot":
        return closeInThread({ ...deps, once }, outcome.ask, null);
      case "waiting":
        waiting = outcome;
        // One that lies in the past is over, or is caught up with.
        return live && turn ? rest(turn, outcome) : undefined;
      case "ended":
        return endTurn(outcome);
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
      status?.show(draw(turn, null));
      streamed?.follow(turn);
    },

    async caughtUp() {
      live = true;
      if (!turn) return;
      if (turn.waitingSince !== null && waiting) return rest(turn, waiting);
      await takeUp(turn);
    },

    contactLost() {
      if (turn) status?.show(draw({ ...turn, note: LOST_CONTACT }, null));
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

    stop: () => status?.stop(),
  };
}
