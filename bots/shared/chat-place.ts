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
