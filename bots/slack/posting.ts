import type { AnyBlock } from "@slack/types";
import { z } from "zod";
import type { Logger } from "../../src/log.ts";
import type { Rendering } from "./blocks/rendering.ts";
import { refusedWith } from "./errors.ts";
import type { SlackThread } from "./slack-thread.ts";
import type { SlackApi } from "./web-api.ts";

/** Posts and updates, in the most faithful rendering that Slack takes. */
export interface Posting {
  /** Returns the message's `ts`. */
  post(thread: SlackThread, renderings: readonly Rendering[], marker: string, signal: AbortSignal): Promise<string>;
  /**
   * False when the message is gone. `marker` is written again where it is given; else the message keeps what it has, as
   * `chat.update` leaves metadata alone that it is not given.
   */
  update(
    thread: SlackThread,
    ts: string,
    renderings: readonly Rendering[],
    how: { urgency: "normal" | "spare"; marker: string | null },
    signal: AbortSignal,
  ): Promise<boolean>;
}

export interface PostingDeps {
  api: SlackApi;
  log: Logger;
  /** Hears that Slack did not take the best rendering. */
  onRefusedBlocks(thread: SlackThread, rendering: Rendering): void;
}

export const POST_EVENT_TYPE = "deckhand_post";

/** The marker for `find`, where people don't see it. */
export function markerMetadata(marker: string) {
  return { event_type: POST_EVENT_TYPE, event_payload: { marker } };
}

/**
 * The marker as the id of the first block. It is all that a message made by a file upload can carry, as
 * `files.completeUploadExternal` takes no metadata. Slack drops the id of `markdown` blocks; those have metadata.
 */
export function markedBlocks(blocks: readonly AnyBlock[], marker: string): AnyBlock[] {
  return blocks.map((block, index) => (index === 0 ? { ...block, block_id: marker } : block));
}

const Posted = z.looseObject({ ts: z.string().min(1) });
const Done = z.looseObject({});

const REFUSED_BLOCKS: ReadonlySet<string> = new Set([
  "invalid_blocks",
  "invalid_blocks_format",
  "invalid_attachments",
  "block_mismatch",
  "msg_blocks_too_long",
  "msg_too_long",
  "only_one_table_allowed",
]);
const GONE: ReadonlySet<string> = new Set(["message_not_found", "cant_update_message", "thread_not_found"]);
const STREAMING: ReadonlySet<string> = new Set(["streaming_state_conflict"]);
const NOT_STREAMING: ReadonlySet<string> = new Set([
  "message_not_in_streaming_state",
  "message_not_owned_by_app",
  "message_not_found",
]);

export function createPosting({ api, log, onRefusedBlocks }: PostingDeps): Posting {
  /** Tries one rendering after the other until Slack takes the blocks of one. */
  const inSomeRendering = async <Answer>(
    thread: SlackThread,
    renderings: readonly Rendering[],
    attempt: (rendering: Rendering) => Promise<Answer>,
  ): Promise<Answer> => {
    for (const rendering of renderings.slice(0, -1)) {
      try {
        return await attempt(rendering);
      } catch (error) {
        if (!refusedWith(error, REFUSED_BLOCKS)) throw error;
        log.warn({ team: thread.team, slack_error: error.slackError }, "slack refused the blocks of a message");
        onRefusedBlocks(thread, rendering);
      }
    }
    const last = renderings.at(-1);
    if (!last) throw new Error("A message without a rendering.");
    return await attempt(last);
  };

  const update: Posting["update"] = async (thread, ts, renderings, { urgency, marker }, signal) => {
    const { team, channel } = thread;
    try {
      await inSomeRendering(thread, renderings, ({ text, blocks }) => {
        const content = { text, blocks: marker === null ? blocks : markedBlocks(blocks, marker) };
        const metadata = marker === null ? {} : { metadata: markerMetadata(marker) };
        const call = { team, method: "chat.update", urgency };
        return api.call(call, (client) => client.chat.update({ channel, ts, ...content, ...metadata }), Done, signal);
      });
      return true;
    } catch (error) {
      if (refusedWith(error, GONE)) return false;
      if (!refusedWith(error, STREAMING)) throw error;
      // Whoever streamed into it is gone.
      await endStream(api, thread, ts, signal);
      return await update(thread, ts, renderings, { urgency: "normal", marker }, signal);
    }
  };

  return {
    async post(thread, renderings, marker, signal) {
      const { team, channel, threadTs } = thread;
      const answer = await inSomeRendering(thread, renderings, ({ text, blocks }) =>
        api.call(
          { team, method: "chat.postMessage", channel },
          (client) =>
            client.chat.postMessage({
              channel,
              thread_ts: threadTs,
              text,
              blocks: markedBlocks(blocks, marker),
              metadata: markerMetadata(marker),
              unfurl_links: false,
              unfurl_media: false,
            }),
          Posted,
          signal,
        ),
      );
      return answer.ts;
    },
    update,
  };
}

/** Resolves as well when nothing streams there. */
export async function endStream(api: SlackApi, thread: SlackThread, ts: string, signal: AbortSignal): Promise<void> {
  const { team, channel } = thread;
  const call = { team, method: "chat.stopStream" };
  try {
    await api.call(call, (client) => client.chat.stopStream({ channel, ts }), Done, signal);
  } catch (error) {
    if (!refusedWith(error, NOT_STREAMING)) throw error;
  }
}
