import { BOT_EVENTS } from "../../../bots/slack/requirements.ts";
import type { MethodSettings } from "./method.ts";
import { APP_ID } from "./world.ts";

/** The app's request URL, or its Socket Mode connections. */
export type Destination = URL | "socket" | null;

export interface FakeSlackOptions {
  port?: number;
  /** Where events, presses and commands go; null for nowhere, until `deliverTo` says. */
  deliverTo?: Destination;
  /** Bot events that the app subscribed to; those of its manifest when left out. */
  events?: readonly string[];
  /** What each installation was granted; what the manifest asks for when left out. */
  scopes?: readonly string[];
  isAgent?: boolean;
  streamLifetimeMs?: number;
  triggerLifetimeMs?: number;
  fileShareDelayMs?: number;
  ackTimeoutMs?: number;
  /** Between the attempts to deliver an event. Slack takes 0, a minute and five. */
  retryDelaysMs?: readonly number[];
  /** Null: tokens from OAuth last. */
  tokenLifetimeSeconds?: number | null;
}

export function settingsOf(options: FakeSlackOptions, later: MethodSettings["later"]): MethodSettings {
  const { isAgent = true, streamLifetimeMs = 5 * 60_000, triggerLifetimeMs = 3_000, fileShareDelayMs = 5 } = options;
  return {
    origin: "",
    appId: APP_ID,
    isAgent,
    streamLifetimeMs,
    triggerLifetimeMs,
    fileShareDelayMs,
    events: new Set(options.events ?? BOT_EVENTS.map(({ event }) => event)),
    triggers: new Map(),
    uploads: new Map(),
    later,
  };
}
