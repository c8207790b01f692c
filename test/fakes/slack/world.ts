import type { Clock } from "./clock.ts";
import type { Block } from "./blocks.ts";

/** The one app that the fake knows. */
export const APP_ID = "A01DECKHAND";

export interface Team {
  id: string;
  name: string;
  domain: string;
  enterpriseId: string | null;
}

export interface User {
  id: string;
  teamId: string;
  name: string;
  realName: string;
  email: string | null;
  kind: "member" | "guest" | "ultra_restricted" | "bot";
  deleted: boolean;
}

export interface Channel {
  id: string;
  name: string;
  kind: "public" | "private" | "im" | "mpim";
  /** More than one: shared by Slack Connect, or inside an enterprise. */
  teamIds: string[];
  members: string[];
  archived: boolean;
  /** Shared with another organisation. */
  extShared: boolean;
}

/** The app, as one team or one enterprise has it. */
export interface Installation {
  /** Of the team; of the enterprise for an org-wide install. */
  id: string;
  teamIds: string[];
  enterpriseId: string | null;
  isEnterprise: boolean;
  botUserId: string;
  botId: string;
  scopes: Set<string>;
  removed: boolean;
}

export interface Token {
  value: string;
  installation: Installation;
  /** In ms since the epoch; null when it does not expire. */
  expiresAt: number | null;
  revoked: boolean;
}

export interface Metadata {
  event_type: string;
  event_payload: Record<string, unknown>;
}

export interface Message {
  channel: string;
  ts: string;
  team: string;
  user: string;
  /** Null for what a person wrote. */
  botId: string | null;
  text: string;
  blocks: Block[];
  attachments: unknown[];
  metadata: Metadata | null;
  /** Null outside threads and for a thread's root. */
  threadTs: string | null;
  fileIds: string[];
  edited: { user: string; ts: string } | null;
  reactions: { name: string; user: string }[];
  subtype: string | null;
  /** Only this person sees it, and nobody finds it again. */
  ephemeralFor: string | null;
}

export interface StoredFile {
  id: string;
  name: string;
  title: string;
  mimetype: string;
  bytes: Buffer;
  user: string;
  teamId: string;
  /** Null until it was shared. */
  sharedIn: { channel: string; ts: string } | null;
}

export interface Stream {
  channel: string;
  ts: string;
  startedAt: number;
  open: boolean;
}

export interface AgentSession {
  channel: string;
  threadTs: string;
  status: "processing" | "active" | "suspended" | "closed";
  title: string | null;
}

export interface View {
  id: string;
  teamId: string;
  user: string;
  hash: string;
  view: Record<string, unknown>;
}

/** What the app does in the world that Slack would tell it of again, such as its own messages. */
export type Publish = (channel: Channel, event: Record<string, unknown>) => void;

export interface World {
  readonly clock: Clock;
  readonly teams: Map<string, Team>;
  readonly users: Map<string, User>;
  readonly channels: Map<string, Channel>;
  readonly installations: Installation[];
  readonly tokens: Map<string, Token>;
  readonly usergroups: Map<string, { teamId: string; users: string[] }>;
  readonly messages: Message[];
  readonly files: Map<string, StoredFile>;
  readonly streams: Map<string, Stream>;
  readonly sessions: Map<string, AgentSession>;
  readonly views: Map<string, View>;
  /** By team and user. */
  readonly homes: Map<string, View>;
  /** The line under the composer and the prompts, by channel and thread. */
  readonly statuses: Map<string, { status: string; loadingMessages: string[] }>;
  readonly prompts: Map<string, { title: string; message: string }[]>;
  nextId(prefix: string): string;
}

export function createWorld(clock: Clock): World {
  let count = 0;
  return {
    clock,
    teams: new Map(),
    users: new Map(),
    channels: new Map(),
    installations: [],
    tokens: new Map(),
    usergroups: new Map(),
    messages: [],
    files: new Map(),
    streams: new Map(),
    sessions: new Map(),
    views: new Map(),
    homes: new Map(),
    statuses: new Map(),
    prompts: new Map(),
    nextId(prefix) {
      count += 1;
      return `${prefix}${String(count).padStart(8, "0")}`;
    },
  };
}

export function findMessage(world: World, channel: string, ts: string): Message | undefined {
  return world.messages.find((message) => message.channel === channel && message.ts === ts && !message.ephemeralFor);
}

/** A root and what was said under it, oldest first. */
export function threadOf(world: World, channel: string, rootTs: string): Message[] {
  return world.messages.filter(
    (message) =>
      message.channel === channel && !message.ephemeralFor && (message.ts === rootTs || message.threadTs === rootTs),
  );
}
