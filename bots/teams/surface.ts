import type { Logger } from "../../src/log.ts";
import type { ChatMessage, ChatSurface, MessageRef } from "../shared/chat-surface.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import { createLanes } from "../shared/lanes.ts";
import { MARKDOWN_CHARS_MAX } from "./cards/answer-activity.ts";
import { messageActivity } from "./cards/message-activity.ts";
import { statusLine } from "./cards/status-card.ts";
import type { ConsentStore } from "./consent-store.ts";
import type { FileHosts } from "./file-hosts.ts";
import type { TeamsGraph } from "./graph.ts";
import type { GraphThreads } from "./graph-threads.ts";
import type { TeamsPeople } from "./people.ts";
import type { TeamsPosting } from "./posting.ts";
import { TeamsTerminalError } from "./refusals.ts";
import { createRecent } from "./recent.ts";
import { openAnswerStream, settleLeftStream } from "./stream.ts";
import { parseStreamRef } from "./stream-ref.ts";
import { teamsThread } from "./teams-thread.ts";
import { uploadFiles } from "./upload.ts";

export interface TeamsSurfaceOptions {
  posting: TeamsPosting;
  people: Pick<TeamsPeople, "names">;
  /** Null in clouds where bots have no files. */
  consents: Pick<ConsentStore, "offer" | "posted"> | null;
  /** Null where the app may not ask Graph. */
  graph: TeamsGraph | null;
  graphThreads: GraphThreads;
  /** Where uploads may go. */
  hosts: FileHosts;
  log: Logger;
  /** Whether answers are shown while they are written, in personal chats. */
  streaming: "auto" | "off";
  /** Hears that somebody pressed the Stop that Teams shows beside a stream. */
  onStopped(thread: ChatThreadKey, streamId: string): Promise<void>;
  now?: () => number;
}

const UPDATE_INTERVAL_MS = 2_000;
const HEARTBEAT_MS = 15_000;
const REMEMBERED_MAX = 5_000;
const WORKING = "Working…";

/**
 * Threads of Teams. Posts of a thread appear in the order they were asked for; updates of a message likewise, beside them.
 *
 * Teams can't be asked what a bot posted, and a message can't carry a mark that people don't see: `find` knows only what this
 * process posted itself. So a post is made at least once: when a process dies between Teams' taking it and our noting its
 * id, the next one posts it again. Whatever has a noted id is edited and never posted anew, and an offer of a file is noted
 * by itself.
 */
export function createTeamsSurface(options: TeamsSurfaceOptions): ChatSurface {
  const { posting, people, log, streaming, now = Date.now } = options;
  const lanes = createLanes();
  const posted = createRecent<MessageRef>(REMEMBERED_MAX);
  const doing = createRecent<string>(REMEMBERED_MAX);
  const discarded = createRecent<true>(REMEMBERED_MAX);
  /** Teams streams in personal chats alone; whether a chat is one is looked up when it is tried. */
  const mayStream = (thread: ChatThreadKey) => streaming === "auto" && teamsThread(thread).rootId === null;

  const remember = (thread: ChatThreadKey, marker: string, ref: MessageRef): MessageRef => {
    posted.set(`${thread} ${marker}`, ref);
    return ref;
  };

  const render = async (thread: ChatThreadKey, message: ChatMessage, signal: AbortSignal) => {
    if (message.type === "status") doing.set(thread, statusLine(message.card));
    const names = message.type === "approval" ? await namesIn(people, thread, message, signal) : NOBODY;
    return messageActivity(message, { thread, names, now: now() });
  };

  return {
    name: "teams",

    limits: (thread) => ({
      markdownCharsMax: MARKDOWN_CHARS_MAX,
      updateIntervalMs: UPDATE_INTERVAL_MS,
      heartbeatMs: HEARTBEAT_MS,
      drafts: mayStream(thread) ? "stream" : "none",
    }),

    post: (thread, message, marker, signal) =>
      lanes.run(thread, signal, async () =>
        remember(thread, marker, await posting.send(thread, await render(thread, message, signal), signal)),
      ),

    update: (thread, ref, message, signal) =>
      lanes.run(`${thread} ${ref}`, signal, async () => {
        if (discarded.get(ref)) return;
        const activity = await render(thread, message, signal);
        const left = parseStreamRef(ref);
        if (left) {
          await settleLeftStream({ posting, now }, thread, left, message, activity, signal);
          return;
        }
        const redraw = message.type === "status" && message.card.state === "working";
        await posting.update(thread, ref, activity, redraw ? "spare" : "normal", signal);
      }),

    async openStream(thread, signal) {
      signal.throwIfAborted();
      if (!mayStream(thread)) return null;
      const opening = { informative: doing.get(thread) ?? WORKING };
      const open = () => openAnswerStream({ ...options, now }, thread, opening, signal);
      const stream = await lanes.run(thread, signal, open);
      return (
        stream && {
          ref: stream.ref,
          show: (markdown) => stream.show(markdown),
          finish: async (message, marker) => remember(thread, marker, await stream.finish(message, marker)),
          async discard() {
            discarded.set(stream.ref, true);
            await stream.discard();
          },
        }
      );
    },

    upload: (thread, files, marker, signal) =>
      lanes.run(thread, signal, async () =>
        remember(thread, marker, await uploadFiles({ ...options, now }, thread, files, marker, signal)),
      ),

    async find(thread, marker, signal) {
      signal.throwIfAborted();
      return posted.get(`${thread} ${marker}`) ?? null;
    },

    async acknowledge(thread, _messageId, _how, signal) {
      // Bots can't react in Teams; that somebody writes is the only sign there is, and it goes by itself.
      try {
        await posting.sendIfRoom(thread, { type: "typing" }, signal);
      } catch (error) {
        if (!(error instanceof TeamsTerminalError)) throw error;
        log.debug({ chat_thread_key: thread, error: error.message }, "typing was not shown");
      }
    },
  };
}

const NOBODY: ReadonlyMap<string, string> = new Map();

async function namesIn(
  people: Pick<TeamsPeople, "names">,
  thread: ChatThreadKey,
  { card }: Extract<ChatMessage, { type: "approval" }>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (card.state.type !== "open") return NOBODY;
  const ids = card.approvers.length > 0 ? card.approvers : [card.requester].filter((id) => id !== null);
  return await people.names(thread, ids, signal);
}
