import type { ChannelPolicy } from "./channel-policy.ts";
import type { ChatPlaceKey } from "./chat-place.ts";
import type { ChatSource } from "./chat-source.ts";
import type { Person } from "./person.ts";
import { plainWords } from "./plain-words.ts";

/** Why somebody may not give work. */
export type Denial = "guest" | "outsider" | "not_listed";

/**
 * Whether a person may give work in a place; null when they may.
 * @throws what `ChatSource.inGroup` does, and then nobody has been let in
 */
export async function denialOf(
  source: Pick<ChatSource, "inGroup">,
  policy: ChannelPolicy,
  place: ChatPlaceKey,
  person: Person,
  signal: AbortSignal,
): Promise<Denial | null> {
  const byPolicy = judge(policy, person);
  if (byPolicy !== "ask_groups") return byPolicy;
  for (const group of policy.allowGroups) {
    if (await source.inGroup(place, group, person.id, signal)) return null;
  }
  return "not_listed";
}

/** Pure: who is named may always; guests and outsiders only where they are let in; others where everybody may, or by a group. */
export function judge(
  { allowUsers, allowGroups, allowGuests, allowOutsiders }: ChannelPolicy,
  { id, kind }: Pick<Person, "id" | "kind">,
): Denial | "ask_groups" | null {
  if (allowUsers.includes(id)) return null;
  if (kind === "guest" && !allowGuests) return "guest";
  if (kind === "outsider" && !allowOutsiders) return "outsider";
  if (allowUsers.length === 0 && allowGroups.length === 0) return null;
  return allowGroups.length === 0 ? "not_listed" : "ask_groups";
}

/** Pure: told to the person in the thread. */
export function denialText(denial: Denial, { name }: Pick<Person, "name">): string {
  const reasons: Record<Denial, string> = {
    guest: "guests can't give me work here",
    outsider: "people of other organisations can't give me work here",
    not_listed: "only some people can give me work here, and you are not among them yet",
  };
  return `Sorry ${plainWords(name)}, ${reasons[denial]}. Whoever looks after me here can change that.`;
}
