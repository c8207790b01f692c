/** Where people and the agent talk: a thread in Slack, a conversation in Teams, a terminal. */
export type ChatThread =
  | {
      surface: "slack";
      /** Team id, or enterprise id of an org-wide install. */ team: string;
      channel: string;
      threadTs: string;
    }
  | {
      surface: "teams";
      tenant: string;
      /** Conversation id with its root message, as the Bot Connector writes it. */ conversation: string;
    }
  | { surface: "terminal"; id: string };

export type ChatThreadKey = `slack:${string}` | `teams:${string}` | `terminal:${string}`;

/** A chat thread key, or the parts of one, that cannot be. */
export class ChatThreadKeyError extends Error {
  override readonly name = "ChatThreadKeyError";
}

const SLACK_ID = /^[A-Z0-9]+$/;
const SLACK_TS = /^\d+\.\d+$/;
const TENANT = /^[A-Za-z0-9-]+$/;
/** Conversation ids are opaque and hold colons themselves, so they come last and take the rest of the key. */
const CONVERSATION = /^[^\s\p{Cc}]+$/u;
/** Also the name of a file. */
const TERMINAL_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * The one name of a thread in every table, job and log line. `parseChatThreadKey` gives the same thread back.
 * @throws ChatThreadKeyError when a part is empty or malformed
 */
export function chatThreadKey(thread: ChatThread): ChatThreadKey {
  switch (thread.surface) {
    case "slack":
      check("Slack team", SLACK_ID, thread.team);
      check("Slack channel", SLACK_ID, thread.channel);
      check("Slack thread_ts", SLACK_TS, thread.threadTs);
      return `slack:${thread.team}:${thread.channel}:${thread.threadTs}`;
    case "teams":
      check("Teams tenant", TENANT, thread.tenant);
      check("Teams conversation", CONVERSATION, thread.conversation);
      return `teams:${thread.tenant}:${thread.conversation}`;
    case "terminal":
      check("terminal thread id", TERMINAL_ID, thread.id);
      return `terminal:${thread.id}`;
  }
}

/** @throws ChatThreadKeyError when `key` is not a chat thread key */
export function parseChatThreadKey(key: string): ChatThread {
  const thread = split(key);
  if (!thread) throw new ChatThreadKeyError(`${JSON.stringify(key)} is not a chat thread key.`);
  chatThreadKey(thread);
  return thread;
}

function split(key: string): ChatThread | null {
  const [surface, ...parts] = key.split(":");
  const [first = "", second = "", third = ""] = parts;
  if (surface === "slack" && parts.length === 3) return { surface, team: first, channel: second, threadTs: third };
  if (surface === "teams" && parts.length >= 2)
    return { surface, tenant: first, conversation: parts.slice(1).join(":") };
  if (surface === "terminal" && parts.length === 1) return { surface, id: first };
  return null;
}

function check(what: string, pattern: RegExp, value: string): void {
  if (!pattern.test(value)) throw new ChatThreadKeyError(`${JSON.stringify(value)} is not a ${what}.`);
}
