import { LogLevel, WebClient } from "@slack/web-api";
import type { ThreadDirectory } from "../../../bots/shared/chat-records.ts";
import type { Pace } from "../../../bots/slack/pace.ts";
import type { SlackWorkspaces } from "../../../bots/slack/slack-workspaces.ts";
import { createSlackSurface, type SlackSurfaceOptions } from "../../../bots/slack/surface.ts";
import { createSlackApi, type SlackApi } from "../../../bots/slack/web-api.ts";
import { TerminalError } from "../../../src/errors.ts";
import { SILENT } from "../../support/silent-log.ts";

export const TEAM = "T01ACME";

/** For Slacks without limits. */
export const UNPACED: Pace = {
  turn: async (_call, signal) => signal.throwIfAborted(),
  spareNow: async () => true,
  holdOff: async () => undefined,
};

/** One workspace, as an installation with this token sees it. */
export function workspaceAt(apiUrl: string, token: string, team = TEAM): SlackWorkspaces {
  const options = { slackApiUrl: apiUrl, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true };
  const client = new WebClient(token, { ...options, logLevel: LogLevel.ERROR });
  return {
    async of(asked) {
      if (asked !== team) throw new TerminalError("The app is not installed there.");
      return { client, team, botUserId: "U0BOT", botId: "B0BOT" };
    },
  };
}

export function apiAt(apiUrl: string, token: string, pace = UNPACED): SlackApi {
  return createSlackApi({ workspaces: workspaceAt(apiUrl, token), pace, log: SILENT });
}

export const NO_SESSIONS: Pick<ThreadDirectory, "summary"> = { summary: async () => null };

export function surfaceAt(api: SlackApi, options: Partial<SlackSurfaceOptions> = {}) {
  return createSlackSurface({ api, directory: NO_SESSIONS, log: SILENT, streaming: "auto", ...options });
}

interface Shown {
  text: string;
  blocks?: { type: string }[] | undefined;
}

/** As people see messages: `text` gives way to blocks, unless they only follow what was streamed; ids are not shown. */
export function shownText(messages: readonly Shown[]): string {
  return JSON.stringify(
    messages.map(({ text, blocks = [] }) => {
      const says = blocks.some(({ type }) => type !== "context_actions");
      return [says ? "" : text, blocks.map((block) => ({ ...block, block_id: undefined }))];
    }),
  );
}
