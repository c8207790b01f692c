import { messageOf, TerminalError } from "../../src/errors.ts";
import type { ChatMessage } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { keepStatus, type LiveStatus } from "./live-status.ts";
import { deliverOutputs } from "./outputs.ts";
import { postOnce, type PostOnce } from "./post-once.ts";
import { fold, foldPreview, type Outcome, type Turn, type TurnEnd } from "./progress.ts";
import { answerMessages, endMessage, errorMessage, notice, statusMessage } from "./render.ts";
import type { EventPreview, SessionEvent } from "./session-events.ts";

/** Turns the events of one session, in their order, into posts. Events may be given again from the cursor on. */
export interface TurnPoster {
  /** Resolves when what this event calls for is in the thread. True when it ended the turn. */
  event(event: SessionEvent): Promise<boolean>;
  preview(preview: EventPreview): void;
  /** Says whether the server is being reached. */
  contact(reached: boolean): void;
  running(): boolean;
  /** The session was deleted. */
  sessionGone(): Promise<void>;
  stop(): void;
}

const LOST_CONTACT = "Lost contact with the server. Trying again.";

export function createTurnPoster(deps: DeliveryScope): TurnPoster {
  const { surface, store, log, thread, sessionId, signal } = deps;
  const once: PostOnce = { surface, deliveries: store.deliveries, thread, signal };
  let turn: Turn | null = null;
  let status: LiveStatus | null = null;

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
  const post = async (item: string, message: ChatMessage) => {
    try {
      await postOnce(once, item, (marker) => surface.post(thread, message, marker, signal));
    } catch (error) {
      if (!(error instanceof TerminalError)) throw error;
      log.error({ chat_thread_key: thread, item, error: error.message }, "message refused by the surface");
    }
  };

  const postAnswer = async (id: string, text: string) => {
    const messages = answerMessages(id, text, surface.limits(thread).markdownCharsMax);
    for (const [index, message] of messages.entries()) await post(`answer:${id}:${index}`, message);
  };

  const endTurn = async ({ eventId, at, how }: Extract<Outcome, { type: "ended" }>) => {
    const last = endMessage(how);
    if (last) await post(`end:${eventId}`, last);
    await deliverOutputs({ ...deps, once, post }, eventId);
    if (turn && status) await status.finish(draw(turn, how));
    await store.deliveries.moveCursor(thread, sessionId, { eventId, at });
    if (how === "terminated") await store.threads.detachSession(thread, sessionId);
    status = null;
    turn = null;
  };

  return {
    async event(event) {
      const progress = fold(turn, event);
      turn = progress.turn;
      if (turn && !status) status = await openStatus(turn);
      if (turn?.endedAt === null) status?.show(draw(turn, null));
      for (const outcome of progress.outcomes) {
        if (outcome.type === "answer") await postAnswer(outcome.id, outcome.text);
        else if (outcome.type === "error") await post(`error:${outcome.id}`, errorMessage(outcome.error));
        else await endTurn(outcome);
      }
      return progress.outcomes.some((outcome) => outcome.type === "ended");
    },

    preview(preview) {
      turn = foldPreview(turn, preview);
      if (turn) status?.show(draw(turn, null));
    },

    contact(reached) {
      if (turn) status?.show(draw(reached ? turn : { ...turn, note: LOST_CONTACT }, null));
    },

    running: () => turn !== null,

    async sessionGone() {
      await post(`gone:${sessionId}`, notice("warning", "This session was deleted. Write again to start a new one."));
      await store.threads.detachSession(thread, sessionId);
    },

    stop: () => status?.stop(),
  };
}
