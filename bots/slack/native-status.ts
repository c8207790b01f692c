import { z } from "zod";
import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { ThreadDirectory } from "../shared/chat-records.ts";
import type { StatusCard, StatusState } from "../shared/chat-surface.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import { refusedWith, SlackRefusedError } from "./errors.ts";
import { createLanes } from "../shared/lanes.ts";
import { slackThread } from "./slack-thread.ts";
import { createTeamMemory } from "./team-memory.ts";
import type { SlackApi } from "./web-api.ts";

/** Slack's own sign that an agent is at work, with its own Stop button. */
export interface NativeStatus {
  /** Shows what the card says, some time soon. Never rejects and holds up nothing: the status message says it all as well. */
  follow(thread: ChatThreadKey, card: StatusCard): void;
}

export interface NativeStatusDeps {
  api: SlackApi;
  /** For the title of a session, and who began it. */
  directory: Pick<ThreadDirectory, "summary">;
  log: Logger;
  now: () => number;
}

const TRY_AGAIN_AFTER_MS = 3_600_000;
const PATIENCE_MS = 60_000;
const THREADS_REMEMBERED_MAX = 5_000;
const TITLE_CHARS_MAX = 200;

/** The app is not declared an agent, or this Slack knows no agents. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  "not_authorized",
  "unknown_method",
  "missing_scope",
  "no_permission",
  "not_allowed_token_type",
  "feature_not_enabled",
  "method_deprecated",
]);

/** `processing` must not outlast the turn: Slack shows it until it is told otherwise. */
const STATUSES: Record<StatusState, "processing" | "active" | "suspended"> = {
  working: "processing",
  waiting: "suspended",
  done: "active",
  stopped: "active",
  failed: "active",
};
const Done = z.looseObject({});

export function createNativeStatus({ api, directory, log, now }: NativeStatusDeps): NativeStatus {
  const unsupported = createTeamMemory(TRY_AGAIN_AFTER_MS, now);
  const lanes = createLanes();
  const shown = new Map<ChatThreadKey, string>();

  const note = (thread: ChatThreadKey, status: string) => {
    shown.delete(thread);
    shown.set(thread, status);
    const [oldest] = shown.keys();
    if (shown.size > THREADS_REMEMBERED_MAX && oldest !== undefined) shown.delete(oldest);
  };

  const set = async (key: ChatThreadKey, status: string, signal: AbortSignal) => {
    const { team, channel, threadTs } = slackThread(key);
    const call = { team, method: "agents.sessions.setStatus", urgency: "spare" } as const;
    const send = async (more: Partial<SessionStart>): Promise<boolean> => {
      const args = { channel_id: channel, thread_ts: threadTs, status, ...more };
      // A beginning may be left out where there is no room for it, an end may not.
      const set = status === "processing" ? api.callIfRoom : api.call;
      return (await set(call, (client) => client.agents.sessions.setStatus(args), Done, signal)) !== null;
    };
    const about = status === "processing" ? await sessionOf(directory, key) : {};
    try {
      return await send(about);
    } catch (error) {
      const mayBeAbout = error instanceof SlackRefusedError && !refusedWith(error, UNSUPPORTED);
      if (!mayBeAbout || Object.keys(about).length === 0) throw error;
      return await send({});
    }
  };

  const forget = (thread: ChatThreadKey, status: string) => {
    if (shown.get(thread) === status) shown.delete(thread);
  };

  return {
    follow(thread, card) {
      const { team } = slackThread(thread);
      const status = STATUSES[card.state];
      if (shown.get(thread) === status || unsupported.has(team)) return;
      note(thread, status);
      const signal = AbortSignal.timeout(PATIENCE_MS);
      lanes
        .run(thread, signal, () => set(thread, status, signal))
        .then((isSet) => {
          if (!isSet) forget(thread, status);
        })
        .catch((error: unknown) => {
          forget(thread, status);
          if (refusedWith(error, UNSUPPORTED)) unsupported.remember(team);
          log.debug({ chat_thread_key: thread, error: messageOf(error) }, "agent status not set");
        });
    },
  };
}

interface SessionStart {
  title: string;
  initiator_user_id: string;
}

async function sessionOf(directory: Pick<ThreadDirectory, "summary">, thread: ChatThreadKey) {
  const summary = await directory.summary(thread);
  const title = summary?.title.trim().slice(0, TITLE_CHARS_MAX) ?? "";
  const requester = summary?.requester ?? "";
  return {
    ...(title !== "" && { title }),
    ...(/^[UW][A-Z0-9]+$/.test(requester) && { initiator_user_id: requester }),
  };
}
