import { z } from "zod";
import type { Logger } from "../../src/log.ts";
import type { ThreadDirectory } from "../shared/chat-records.ts";
import type { ChatMessage, ChatSurface, MessageRef } from "../shared/chat-surface.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import { MARKDOWN_CHARS_MAX } from "./blocks/answer-blocks.ts";
import { renderingsOf } from "./blocks/message-blocks.ts";
import { refusedWith } from "./errors.ts";
import { findPost } from "./find-post.ts";
import { createLanes } from "../shared/lanes.ts";
import { createNativeStatus } from "./native-status.ts";
import { createPosting } from "./posting.ts";
import { isDirect, slackThread } from "./slack-thread.ts";
import { openAnswerStream } from "./stream.ts";
import { createTeamMemory } from "./team-memory.ts";
import { uploadFiles } from "./upload.ts";
import type { SlackApi } from "./web-api.ts";

export interface SlackSurfaceOptions {
  api: SlackApi;
  /** What a native agent session is called, and who began it. */
  directory: Pick<ThreadDirectory, "summary">;
  log: Logger;
  /** Whether answers are shown while they are written, in direct messages. */
  streaming: "auto" | "off";
  /** Larger files come as links. Slack's own limit is 1 GB. */
  fileBytesMax?: number;
  now?: () => number;
}

/** Least time between two updates of a message: Slack allows 50 a minute for all messages of a workspace. */
const UPDATE_INTERVAL_MS = 1_500;
const HEARTBEAT_MS = 15_000;
const FILE_BYTES_MAX = 1_000_000_000;
const TRY_AGAIN_AFTER_MS = 6 * 3_600_000;
const MARKERS_REMEMBERED_MAX = 5_000;

const REACTIONS = { started: "eyes", queued: "inbox_tray" } as const;
const MESSAGE_TS = /^\d+\.\d+$/;
/** Nothing to react to, or no way to: the status says that the agent is at work. */
const NO_REACTION: ReadonlySet<string> = new Set([
  "already_reacted",
  "message_not_found",
  "bad_timestamp",
  "no_item_specified",
  "not_reactable",
  "too_many_emoji",
  "too_many_reactions",
  "thread_locked",
  "invalid_name",
  "missing_scope",
]);
const Done = z.looseObject({});

/**
 * Threads of Slack. Posts and uploads of a thread appear in the order they were asked for; updates of a message likewise,
 * beside them, so that a status that waits for its turn holds up no answer.
 *
 * `find` knows a post by its metadata, or by the id of its first block: see `posting.ts`.
 */
export function createSlackSurface(options: SlackSurfaceOptions): ChatSurface {
  const { api, directory, log, streaming, fileBytesMax = FILE_BYTES_MAX, now = Date.now } = options;
  const noPlans = createTeamMemory(TRY_AGAIN_AFTER_MS, now);
  const noStreams = createTeamMemory(TRY_AGAIN_AFTER_MS, now);
  const nativeStatus = createNativeStatus({ api, directory, log, now });
  const lanes = createLanes();
  const markers = new Map<MessageRef, string>();

  const posting = createPosting({
    api,
    log,
    onRefusedBlocks(thread, { blocks }) {
      if (blocks.some((block) => block.type === "plan")) noPlans.remember(thread.team);
    },
  });

  const remember = (ref: MessageRef, marker: string): MessageRef => {
    markers.set(ref, marker);
    const [oldest] = markers.keys();
    if (markers.size > MARKERS_REMEMBERED_MAX && oldest !== undefined) markers.delete(oldest);
    return ref;
  };
  const render = (thread: ChatThreadKey, message: ChatMessage) =>
    renderingsOf(message, { thread, now: now(), plan: !noPlans.has(slackThread(thread).team) });
  const streams = (thread: ChatThreadKey) =>
    streaming === "auto" && isDirect(slackThread(thread)) && !noStreams.has(slackThread(thread).team);

  return {
    name: "slack",

    limits: (thread) => ({
      markdownCharsMax: MARKDOWN_CHARS_MAX,
      updateIntervalMs: UPDATE_INTERVAL_MS,
      heartbeatMs: HEARTBEAT_MS,
      drafts: streams(thread) ? "stream" : "none",
    }),

    async post(thread, message, marker, signal) {
      if (message.type === "status") nativeStatus.follow(thread, message.card);
      const post = () => posting.post(slackThread(thread), render(thread, message), marker, signal);
      return remember(await lanes.run(thread, signal, post), marker);
    },

    async update(thread, ref, message, signal) {
      if (message.type === "status") nativeStatus.follow(thread, message.card);
      const redraw = message.type === "status" && message.card.state === "working";
      const how = { urgency: redraw ? "spare" : "normal", marker: markers.get(ref) ?? null } as const;
      const update = () => posting.update(slackThread(thread), ref, render(thread, message), how, signal);
      await lanes.run(`${thread} ${ref}`, signal, update);
    },

    async openStream(thread, signal) {
      signal.throwIfAborted();
      if (!streams(thread)) return null;
      const deps = { api, posting, unsupported: noStreams, log, now, intervalMs: UPDATE_INTERVAL_MS };
      return await lanes.run(thread, signal, () => openAnswerStream(deps, slackThread(thread), signal));
    },

    async upload(thread, files, marker, signal) {
      const deps = { api, posting, log, now, fileBytesMax };
      return await lanes.run(thread, signal, () => uploadFiles(deps, slackThread(thread), files, marker, signal));
    },

    async find(thread, marker, signal) {
      const ref = await findPost(api, slackThread(thread), marker, null, signal);
      return ref === null ? null : remember(ref, marker);
    },

    async acknowledge(thread, messageId, how, signal) {
      signal.throwIfAborted();
      if (!MESSAGE_TS.test(messageId)) return;
      const { team, channel } = slackThread(thread);
      const args = { channel, timestamp: messageId, name: REACTIONS[how] };
      // At the start, the status tells as much; that a message waits, only this tells.
      const react = how === "started" ? api.callIfRoom : api.call;
      try {
        await react({ team, method: "reactions.add" }, (client) => client.reactions.add(args), Done, signal);
      } catch (error) {
        if (!refusedWith(error, NO_REACTION)) throw error;
        log.debug({ team, slack_error: error.slackError }, "no reaction added");
      }
    },
  };
}
