import { parseChatThreadKey, type ChatThreadKey } from "./chat-thread.ts";

/**
 * What a policy is set for: a channel (`slack:T01:C01`, `teams:<tenant>:<conversation without its root message>`), or
 * everything of a team or tenant (`slack:T01`).
 */
export type ChatPlaceKey = `slack:${string}` | `teams:${string}`;

const ROOT_MESSAGE = /;messageid=.*$/;

/** Pure: where a thread is; null in a terminal, whose owner sets no policy for themself. */
export function placeOf(key: ChatThreadKey): ChatPlaceKey | null {
  const thread = parseChatThreadKey(key);
  switch (thread.surface) {
    case "slack":
      return `slack:${thread.team}:${thread.channel}`;
    case "teams":
      return `teams:${thread.tenant}:${thread.conversation.replace(ROOT_MESSAGE, "")}`;
    case "terminal":
      return null;
  }
}

/** Pure: the team or tenant that a place belongs to, whose policy holds where the place has none of its own. */
export function teamOf(place: ChatPlaceKey): ChatPlaceKey {
  const [surface, team] = place.split(":");
  return surface === "slack" ? `slack:${team}` : `teams:${team}`;
}

/** A place that can't be. The message says what one looks like. */
export class ChatPlaceKeyError extends Error {
  override readonly name = "ChatPlaceKeyError";
}

const SLACK_PLACE = /^slack:[A-Z0-9]+(:[A-Z0-9]+)?$/;
const TEAMS_PLACE = /^teams:[A-Za-z0-9-]+(:[^\s\p{Cc}]+)?$/u;

/** @throws ChatPlaceKeyError when `key` is no place */
export function parseChatPlaceKey(key: string): ChatPlaceKey {
  if (SLACK_PLACE.test(key) || (TEAMS_PLACE.test(key) && !ROOT_MESSAGE.test(key))) return key as ChatPlaceKey;
  throw new ChatPlaceKeyError(
    `${JSON.stringify(key)} is no place. A Slack channel is slack:T0123:C0456, a Slack workspace slack:T0123, a Teams ` +
      "conversation teams:<tenant id>:<conversation id>, a Teams tenant teams:<tenant id>.",
  );
}
