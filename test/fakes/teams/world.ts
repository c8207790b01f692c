import type { Clock } from "../slack/clock.ts";

export type Kind = "personal" | "groupChat" | "channel";

export interface Tenant {
  id: string;
  /** What an administrator granted the app in Graph, such as `Files.ReadWrite.All`. */
  graphPermissions: Set<string>;
  /** Who is in which group of Entra: ids of people, by the group's. */
  groups: Map<string, Set<string>>;
}

export interface User {
  /** `29:…`, for this bot alone. */
  id: string;
  /** How tests name them. */
  key: string;
  aadObjectId: string;
  tenantId: string;
  name: string;
  email: string | null;
  role: "user" | "guest";
}

export interface Team {
  id: string;
  aadGroupId: string;
  name: string;
  tenantId: string;
}

export interface Conversation {
  /** Without `;messageid=`. */
  id: string;
  /** How tests name it. */
  key: string;
  kind: Kind;
  tenantId: string;
  name: string;
  members: User[];
  team: Team | null;
  /** The app is installed there. */
  botInRoster: boolean;
  /** The person blocked the bot. */
  blocked: boolean;
  /** Of a channel: where its files live. */
  folder: { driveId: string; itemId: string } | null;
}

export interface Activity {
  id: string;
  conversation: Conversation;
  /** Of a channel's thread; its own id for the root. Null outside channels. */
  rootId: string | null;
  /** Null for the bot. */
  from: User | null;
  /** As it was sent last, whole. */
  wire: Record<string, unknown>;
  /** As it was sent, first to last. */
  versions: Record<string, unknown>[];
  at: number;
  deleted: boolean;
  /** What a person attached. */
  files: DriveItem[];
  /** Only this person sees it. */
  targetedTo: User | null;
  /** What a press of a person replaced the card with, by the person's id. */
  views: Map<string, unknown>;
}

/** A file somewhere in OneDrive or SharePoint. */
export interface DriveItem {
  id: string;
  driveId: string;
  parentId: string;
  name: string;
  bytes: Buffer;
  uniqueId: string;
  webUrl: string;
  /** Who put it there, by Entra id; null for an app. */
  by: string | null;
}

export interface World {
  readonly clock: Clock;
  readonly appId: string;
  /** The app, as Teams names it in conversations. */
  readonly bot: { id: string; name: string };
  readonly tenants: Map<string, Tenant>;
  readonly users: User[];
  readonly teams: Team[];
  readonly conversations: Conversation[];
  readonly activities: Activity[];
  readonly items: DriveItem[];
  nextId(prefix: string): string;
  /** Ms since the epoch as text, later than all before, as Teams names messages. */
  nextActivityId(): string;
}

export function createWorld(clock: Clock, appId: string): World {
  let count = 0;
  let last = 0;
  return {
    clock,
    appId,
    bot: { id: `28:${appId}`, name: "Deckhand" },
    tenants: new Map(),
    users: [],
    teams: [],
    conversations: [],
    activities: [],
    items: [],
    nextId(prefix) {
      count += 1;
      return `${prefix}${String(count).padStart(8, "0")}`;
    },
    nextActivityId() {
      last = Math.max(last + 1, clock.now());
      return String(last);
    },
  };
}

/** By key or by id. @throws Error */
export function userOf({ users }: World, name: string): User {
  const user = users.find(({ id, key, aadObjectId }) => [id, key, aadObjectId].includes(name));
  if (!user) throw new Error(`The fake Teams has no user ${name}.`);
  return user;
}

/** By key or by id. @throws Error */
export function conversationOf({ conversations }: World, name: string): Conversation {
  const conversation = conversations.find(({ id, key }) => id === name || key === name);
  if (!conversation) throw new Error(`The fake Teams has no conversation ${name}.`);
  return conversation;
}

export function findActivity(world: World, conversation: Conversation, id: string): Activity | undefined {
  return world.activities.find((each) => each.conversation === conversation && each.id === id);
}

/** A channel's threads have the root in the conversation's id. */
export function splitConversationId(id: string): { base: string; rootId: string | null } {
  const [base = id, rootId] = id.split(";messageid=");
  return { base, rootId: rootId ?? null };
}

export function threadId({ id }: Conversation, rootId: string | null): string {
  return rootId === null ? id : `${id};messageid=${rootId}`;
}
