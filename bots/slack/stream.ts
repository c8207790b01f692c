import { z } from "zod";
import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { wait } from "../shared/backoff.ts";
import type { AnswerStream, WordsMessage } from "../shared/chat-surface.ts";
import { answerMarkdown, answerRenderings, MARKDOWN_CHARS_MAX } from "./blocks/answer-blocks.ts";
import { refusedWith, SlackRefusedError } from "./errors.ts";
import { endStream, markedBlocks, markerMetadata, type Posting } from "./posting.ts";
import type { SlackThread } from "./slack-thread.ts";
import type { TeamMemory } from "./team-memory.ts";
import type { SlackApi } from "./web-api.ts";

export interface StreamDeps {
  api: SlackApi;
  posting: Posting;
  /** Teams where streams don't work. */
  unsupported: TeamMemory;
  log: Logger;
  now: () => number;
  /** Least time between two versions. */
  intervalMs: number;
}

/** Slack ends a stream after about five minutes; what is written by then stays as a message. */
const STREAM_LIFE_MS = 270_000;
const DISCARD_TIMEOUT_MS = 20_000;
/** Something has to be said at the start, and nothing is known yet: a space of no width. */
const OPENING = "\u200B";

const UNSUPPORTED: ReadonlySet<string> = new Set([
  "unknown_method",
  "not_authorized",
  "missing_scope",
  "no_permission",
  "not_allowed_token_type",
  "feature_not_enabled",
  "channel_type_not_supported",
  "method_not_supported_for_channel_type",
]);
const Started = z.looseObject({ ts: z.string().min(1) });
const Done = z.looseObject({});

/** Null when it can't be had now. Rejects with the signal's reason when that aborts, and for nothing else. */
export async function openAnswerStream(
  deps: StreamDeps,
  thread: SlackThread,
  signal: AbortSignal,
): Promise<AnswerStream | null> {
  const { team, channel, threadTs } = thread;
  const call = { team, method: "chat.startStream", channel };
  const args = { channel, thread_ts: threadTs, markdown_text: OPENING };
  try {
    const started = await deps.api.callIfRoom(call, (client) => client.chat.startStream(args), Started, signal);
    return started && createAnswerStream(deps, thread, started.ts, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (refusedWith(error, UNSUPPORTED)) deps.unsupported.remember(team);
    deps.log.info({ team, error: messageOf(error) }, "answers are not streamed here");
    return null;
  }
}

/**
 * The whole text is ours at any time, so a stream that Slack ends loses nothing: it goes on, and ends, by `chat.update` of
 * the same message.
 */
function createAnswerStream(deps: StreamDeps, thread: SlackThread, ts: string, signal: AbortSignal): AnswerStream {
  const { api, posting, log, now } = deps;
  const { team, channel } = thread;
  const startedAt = now();
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  let wanted = "";
  let shown = "";
  let mode: "streaming" | "updating" | "broken" = "streaming";
  let running: Promise<void> | null = null;

  const append = async (markdown: string) => {
    const call = { team, method: "chat.appendStream" };
    const args = { channel, ts, markdown_text: markdown.slice(shown.length) };
    try {
      // Not ended by `stop`: whoever finishes has to know whether this piece is there.
      const done = await api.callIfRoom(call, (client) => client.chat.appendStream(args), Done, signal);
      if (done) shown = markdown;
    } catch (error) {
      // Nobody can tell any more, so nothing is put behind it.
      mode = "broken";
      throw error;
    }
  };

  const redraw = async (markdown: string) => {
    const renderings = answerRenderings({ type: "text", markdown, answerId: null });
    await posting.update(thread, ts, renderings, { urgency: "spare", marker: null }, either);
    shown = markdown;
  };

  const isBehind = () => mode !== "broken" && wanted !== shown;

  const catchUp = async () => {
    while (isBehind()) {
      if (mode === "streaming" && now() - startedAt > STREAM_LIFE_MS) {
        await endStream(api, thread, ts, either);
        mode = "updating";
      }
      if (mode === "streaming") await append(wanted);
      else await redraw(wanted);
      await wait(deps.intervalMs, either);
    }
  };

  const stop = async () => {
    stopping.abort();
    await running;
  };

  /** Ends a living stream with what it lacks, the rating buttons and the marker, in one call. False when that can't be. */
  const finishStream = async (message: WordsMessage, marker: string): Promise<boolean> => {
    const markdown = answerMarkdown(message);
    const [words, ...after] = answerRenderings(message)[0]?.blocks ?? [];
    const asStreamed = words?.type === "markdown" && "text" in words && words.text === markdown;
    if (mode !== "streaming" || !asStreamed || !markdown.startsWith(shown)) return false;
    const rest = markdown.slice(shown.length);
    // Whatever comes of this, the stream is not to be appended to again.
    mode = "broken";
    const args = {
      channel,
      ts,
      metadata: markerMetadata(marker),
      ...(rest !== "" && { markdown_text: rest }),
      ...(after.length > 0 && { blocks: markedBlocks(after, marker) }),
    };
    const call = { team, method: "chat.stopStream" };
    try {
      await api.call(call, (client) => client.chat.stopStream(args), Done, signal);
      return true;
    } catch (error) {
      if (!(error instanceof SlackRefusedError)) throw error;
      log.info({ team, slack_error: error.slackError }, "a stream had ended before its answer");
      return false;
    }
  };

  const remove = async (until: AbortSignal) => {
    const call = { team, method: "chat.delete" };
    await api.call(call, (client) => client.chat.delete({ channel, ts }), Done, until);
  };

  return {
    ref: ts,

    show(markdown) {
      const text = answerMarkdown({ type: "text", markdown, answerId: null });
      // What is longer is posted in parts when it is whole.
      if (stopping.signal.aborted || text.length > MARKDOWN_CHARS_MAX || !text.startsWith(wanted)) return;
      wanted = text;
      running ??= catchUp()
        .catch((error: unknown) => {
          if (either.aborted) return;
          mode = "broken";
          log.info({ team, error: messageOf(error) }, "a stream shows no more");
        })
        .finally(() => {
          running = null;
        });
    },

    async finish(message, marker) {
      await stop();
      signal.throwIfAborted();
      if (await finishStream(message, marker)) return ts;
      if (mode !== "updating") await endStream(api, thread, ts, signal);
      const renderings = answerRenderings(message);
      if (await posting.update(thread, ts, renderings, { urgency: "normal", marker }, signal)) return ts;
      return await posting.post(thread, renderings, marker, signal);
    },

    async discard() {
      await stop();
      const until = AbortSignal.timeout(DISCARD_TIMEOUT_MS);
      try {
        if (mode !== "updating") await endStream(api, thread, ts, until);
        await remove(until);
      } catch (error) {
        log.warn({ team, error: messageOf(error) }, "a stream could not be taken back");
      }
    },
  };
}
