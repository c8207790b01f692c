import { messageOf } from "../../src/errors.ts";
import type { AnswerStream, MessageRef, WordsMessage } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { type PostOnce, postOnce } from "./post-once.ts";
import type { Turn } from "./turn.ts";
import { cutShortMessage } from "./render.ts";

export interface StreamedAnswerDeps extends Pick<DeliveryScope, "surface" | "store" | "log" | "thread" | "signal"> {
  once: PostOnce;
}

/**
 * The answers of one turn, shown in messages of their own while they are written.
 *
 * At most one message shows something unfinished. Which one is written down in the item `draft:<turn>`, so that a process
 * that takes over knows it: it puts the answer into that message, and streams nothing more in this turn. Two windows are
 * left in which a crash leaves the beginning of a text in the thread for good, never a second answer and never none: between
 * the surface's opening of a stream and our writing down its reference, since a stream carries no marker; and while a text
 * that turned out to be no answer is taken back.
 */
export interface StreamedAnswers {
  /**
   * Brings what is shown in line with the turn: opens a message with the first words, shows what was written since, takes
   * back what is no answer. Returns at once and never rejects; an answer that can't be streamed is posted when it is whole.
   */
  follow(turn: Turn): void;
  /** Posts the first message of an answer: into what showed its beginning, else anew. For `postOnce`. */
  post(answerId: string, message: WordsMessage, marker: string): Promise<MessageRef>;
  /** The first message of an answer is there, by now or since an earlier attempt. */
  posted(answerId: string, ref: MessageRef): Promise<void>;
  /** The turn is over: what is still unfinished is taken back, or says that it is not going to be finished. */
  end(): Promise<void>;
}

export function createStreamedAnswers(deps: StreamedAnswerDeps, turnId: string): StreamedAnswers {
  const { surface, store, log, thread, signal, once } = deps;
  const { deliveries } = store;
  const item = `draft:${turnId}`;
  const charsMax = surface.limits(thread).markdownCharsMax;
  let current: { eventId: string; stream: AnswerStream } | null = null;
  /** The message that a process which died left unfinished; undefined until that was looked up. */
  let left: MessageRef | null | undefined;
  /** The event that a stream was asked for last, whether or not there is one. */
  let tried: string | null = null;
  let wanted: Turn | null = null;
  let running: Promise<void> | null = null;

  const leftUnfinished = async () => {
    if (left === undefined) left = (await deliveries.intend(thread, item)).ref;
    return left;
  };

  const open = async (eventId: string) => {
    tried = eventId;
    if ((await leftUnfinished()) !== null) return;
    const stream = await surface.openStream(thread, signal);
    if (!stream) return;
    current = { eventId, stream };
    await deliveries.settle(thread, item, stream.ref);
  };

  const takeBack = async () => {
    const taken = current;
    current = null;
    if (!taken) return;
    // Before it is gone: an answer must not be put into a message that is there no more.
    await deliveries.settle(thread, item, null);
    await taken.stream.discard();
  };

  const bring = async (turn: Turn) => {
    if (current && !isShown(turn, current.eventId)) await takeBack();
    const { draft } = turn;
    if (!draft || draft.text.trim() === "" || draft.text.length > charsMax) return;
    if (!current && tried !== draft.eventId) await open(draft.eventId);
    if (current?.eventId === draft.eventId) current.stream.show(draft.text);
  };

  const catchUp = async () => {
    try {
      while (wanted) {
        const turn = wanted;
        wanted = null;
        await bring(turn);
      }
    } catch (error) {
      if (!signal.aborted)
        log.warn({ chat_thread_key: thread, error: messageOf(error) }, "answer could not be streamed");
    } finally {
      running = null;
    }
  };

  return {
    follow(turn) {
      wanted = turn;
      running ??= catchUp();
    },

    async post(answerId, message, marker) {
      await running;
      if (current?.eventId === answerId) return current.stream.finish(message, marker);
      const ref = await leftUnfinished();
      if (ref === null) return surface.post(thread, message, marker, signal);
      await surface.update(thread, ref, message, signal);
      return ref;
    },

    async posted(answerId, ref) {
      await running;
      const finished = current?.eventId === answerId;
      if (!finished && (await leftUnfinished()) !== ref) return;
      if (finished) current = null;
      else left = null;
      await deliveries.settle(thread, item, null);
    },

    async end() {
      await running;
      await takeBack();
      const ref = await leftUnfinished();
      if (ref === null) return;
      await postOnce(once, `cut:${turnId}`, async () => {
        await surface.update(thread, ref, cutShortMessage(), signal);
        return ref;
      });
      left = null;
      await deliveries.settle(thread, item, null);
    },
  };
}

/** Being written, or written and not known to be no answer. */
function isShown(turn: Turn, eventId: string): boolean {
  if (turn.endedAt !== null) return false;
  return turn.draft?.eventId === eventId || turn.said.some(({ id }) => id === eventId);
}
