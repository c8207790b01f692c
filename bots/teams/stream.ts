import { messageOf, RetryableError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { wait } from "../shared/backoff.ts";
import type { AnswerStream, ChatMessage, WordsMessage } from "../shared/chat-surface.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import { answerActivity, answerSoFar, MARKDOWN_CHARS_MAX } from "./cards/answer-activity.ts";
import type { TeamsPosting } from "./posting.ts";
import { type StreamRefusal, streamRefusal, TeamsTerminalError } from "./refusals.ts";
import type { OutboundActivity } from "./teams-connector.ts";
import { isOpenStill, streamRef, type StreamRef } from "./stream-ref.ts";

export interface StreamDeps {
  posting: TeamsPosting;
  log: Logger;
  now: () => number;
  /** Hears that the person pressed Teams' own Stop. */
  onStopped(thread: ChatThreadKey, streamId: string): Promise<void>;
}

/** What is shown before the first words; one line. */
export interface StreamOpening {
  informative: string;
}

/** Teams takes one request a second of a stream. */
const INTERVAL_MS = 1_600;
const FINAL_AFTER_MS = 1_000;
/** Teams ends a stream after two minutes. By then it is a message that is edited. */
const STREAM_LIFE_MS = 100_000;
const EDIT_INTERVAL_MS = 2_500;
const DISCARD_TIMEOUT_MS = 20_000;
const INFORMATIVE_CHARS_MAX = 1_000;
/** A message has to have words. */
const NOTHING_YET = "…";

/** Null when it can't be had now. Rejects with the signal's reason when that aborts, and for nothing else. */
export async function openAnswerStream(
  deps: StreamDeps,
  thread: ChatThreadKey,
  { informative }: StreamOpening,
  signal: AbortSignal,
): Promise<AnswerStream | null> {
  const info = { streamType: "informative", streamSequence: 1 };
  try {
    if ((await deps.posting.reference(thread)).kind !== "personal") return null;
    const part = streamPart(informative.slice(0, INFORMATIVE_CHARS_MAX), info);
    // Waited for: after a status card there is seldom room to spare, and what is not opened now is not streamed at all.
    const id = await deps.posting.send(thread, part, signal);
    return createAnswerStream(deps, thread, { id, openedAt: deps.now() }, signal);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.info({ chat_thread_key: thread, error: messageOf(error) }, "an answer is not streamed");
    return null;
  }
}

/**
 * Puts a message into a stream that a process which died left behind, and that may be open still: a message of Teams that
 * streams can't be edited, and one whose stream ran out may not be there at all. In the latter case it is posted anew, unless
 * it only says that there is nothing.
 * @returns the id of the activity that has it; null when nothing was to be done
 */
export async function settleLeftStream(
  { posting, now }: Pick<StreamDeps, "posting" | "now">,
  thread: ChatThreadKey,
  ref: StreamRef,
  message: ChatMessage,
  rendered: OutboundActivity,
  signal: AbortSignal,
): Promise<string | null> {
  if (isOpenStill(ref, now())) {
    // What it has shown is not known here, and the end of a stream must contain it; an answer does.
    if (message.type !== "text") return null;
    try {
      await posting.send(thread, endOf(ref.id, rendered), signal);
      return ref.id;
    } catch (error) {
      if (refusalOf(error) === null) throw error;
    }
  }
  if (await posting.update(thread, ref.id, rendered, "normal", signal)) return ref.id;
  return message.type === "text" ? await posting.send(thread, rendered, signal) : null;
}

/**
 * The whole text is ours at any time, so a stream that Teams ends loses nothing: the answer then goes into an edit of the
 * same message, or is posted.
 */
function createAnswerStream(
  deps: StreamDeps,
  thread: ChatThreadKey,
  ref: StreamRef,
  signal: AbortSignal,
): AnswerStream {
  const { posting, log, now } = deps;
  const { id } = ref;
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  let wanted = "";
  let shown = "";
  let sequence = 1;
  let lastAt = ref.openedAt;
  /** `ended`: Teams takes nothing more, and the message may not be there. */
  let mode: "streaming" | "editing" | "ended" = "streaming";
  let running: Promise<void> | null = null;

  const refused = (why: StreamRefusal) => {
    mode = "ended";
    log.info({ chat_thread_key: thread, why }, "a stream was ended by Teams");
    if (why !== "cancelled") return;
    deps.onStopped(thread, id).catch((error: unknown) => {
      log.error({ chat_thread_key: thread, error: messageOf(error) }, "a press of Teams' own Stop was lost");
    });
  };

  /** Sends a part of the stream; false when Teams did not take it. */
  const part = async (activity: OutboundActivity, until: AbortSignal): Promise<boolean> => {
    try {
      await posting.send(thread, activity, until);
      return true;
    } catch (error) {
      const why = refusalOf(error);
      if (why === null) throw error;
      if (why === "throttled") throw new RetryableError("Teams asks us to slow down.", { retryAfterMs: INTERVAL_MS });
      refused(why);
      return false;
    } finally {
      lastAt = now();
    }
  };

  const showNext = async (text: string) => {
    const info = { streamType: "streaming", streamSequence: sequence + 1, streamId: id };
    // Not ended by `stop`: whoever finishes has to know what is shown.
    const room = await posting.sendIfRoom(thread, streamPart(text, info), signal);
    if (room === null) return;
    sequence += 1;
    shown = text;
  };

  const append = async (text: string) => {
    try {
      await showNext(text);
    } catch (error) {
      const why = refusalOf(error);
      // In doubt it is there. What comes next contains it anyway.
      if (why === null && !(error instanceof RetryableError)) throw error;
      sequence += 1;
      if (why !== null && why !== "throttled") refused(why);
    } finally {
      lastAt = now();
    }
  };

  /** Makes a message of what is shown. */
  const handOver = async (until: AbortSignal) => {
    await wait(Math.max(0, lastAt + FINAL_AFTER_MS - now()), until);
    const text = shown === "" ? NOTHING_YET : shown;
    if (await part(endOf(id, { type: "message", text, textFormat: "markdown" }), until)) mode = "editing";
  };

  const redraw = async (text: string) => {
    const there = await posting.update(thread, id, { type: "message", text, textFormat: "markdown" }, "spare", either);
    if (!there) mode = "ended";
    shown = text;
  };

  const isBehind = () => mode !== "ended" && wanted !== shown;

  const catchUp = async () => {
    while (isBehind()) {
      if (mode === "streaming" && now() - ref.openedAt > STREAM_LIFE_MS) await handOver(either);
      const intervalMs = mode === "streaming" ? INTERVAL_MS : EDIT_INTERVAL_MS;
      await wait(Math.max(0, lastAt + intervalMs - now()), either);
      if (mode === "streaming") await append(wanted);
      else if (mode === "editing") {
        await redraw(wanted);
        lastAt = now();
      }
    }
  };

  const stop = async () => {
    stopping.abort();
    await running;
  };

  /** Ends a living stream with the answer itself. */
  const finishStream = async (activity: OutboundActivity): Promise<boolean> => {
    if (mode !== "streaming") return false;
    if (!(activity.text ?? "").startsWith(shown)) {
      await handOver(signal);
      return false;
    }
    await wait(Math.max(0, lastAt + FINAL_AFTER_MS - now()), signal);
    if (!(await part(endOf(id, activity), signal))) return false;
    mode = "editing";
    return true;
  };

  return {
    ref: streamRef(ref),

    show(markdown) {
      const text = answerSoFar(markdown);
      // What is longer is posted in parts when it is whole; what is spelled differently now is shown at the end.
      const goesOn = text.startsWith(wanted) && text.trim() !== "" && text.length <= MARKDOWN_CHARS_MAX;
      if (stopping.signal.aborted || !goesOn) return;
      wanted = text;
      running ??= catchUp()
        .catch((error: unknown) => {
          if (!either.aborted) log.info({ chat_thread_key: thread, error: messageOf(error) }, "a stream shows no more");
        })
        .finally(() => {
          running = null;
        });
    },

    async finish(message: WordsMessage) {
      await stop();
      signal.throwIfAborted();
      const activity = answerActivity(message);
      if (await finishStream(activity)) return id;
      if (await posting.update(thread, id, activity, "normal", signal)) return id;
      return await posting.send(thread, activity, signal);
    },

    async discard() {
      await stop();
      const until = AbortSignal.timeout(DISCARD_TIMEOUT_MS);
      try {
        if (mode === "streaming") await handOver(until);
        await posting.remove(thread, id, until);
      } catch (error) {
        log.warn({ chat_thread_key: thread, error: messageOf(error) }, "a stream could not be taken back");
      }
    },
  };
}

function streamPart(text: string, info: Record<string, unknown>): OutboundActivity {
  return { type: "typing", text, entities: [{ type: "streaminfo", ...info }] };
}

function endOf(streamId: string, activity: OutboundActivity): OutboundActivity {
  const info = { type: "streaminfo", streamType: "final", streamId };
  return { ...activity, entities: [info, ...(activity.entities ?? [])] };
}

function refusalOf(error: unknown): StreamRefusal | null {
  return error instanceof TeamsTerminalError ? streamRefusal(error.refusal) : null;
}
