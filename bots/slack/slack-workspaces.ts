import type { WebClient } from "@slack/web-api";

/** One installation of the app, as it is right now. Its token may be replaced at any time: ask anew for each piece of work. */
export interface SlackWorkspace {
  /** Never retries by itself. */
  client: WebClient;
  /** Team id; enterprise id of an org-wide install. The first part of the workspace's thread keys. */
  team: string;
  botUserId: string;
  botId: string | null;
}

/** The workspaces that this app may act in. */
export interface SlackWorkspaces {
  /**
   * @param team as in a thread key
   * @throws TerminalError when the app is not installed there, or was removed; RetryableError when that can't be told now
   */
  of(team: string): Promise<SlackWorkspace>;
}
