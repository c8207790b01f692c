import { placeOf } from "./chat-place.ts";
import type { Approval, ChatRecords } from "./chat-records.ts";
import type { ChatSource } from "./chat-source.ts";

export interface DeciderDeps {
  records: Pick<ChatRecords, "policies">;
  source: Pick<ChatSource, "inGroup">;
}

/** The people and groups who may decide on a tool call: the place's approvers, else whoever asked for the work. */
export async function decidersOf(
  { records }: Pick<DeciderDeps, "records">,
  { thread, requester }: Pick<Approval, "thread" | "requester">,
): Promise<readonly string[]> {
  const place = placeOf(thread);
  const approvers = place ? (await records.policies.of(place)).approvers : [];
  if (approvers.length > 0) return approvers;
  return requester === null ? [] : [requester];
}

/**
 * Null when this person may decide; otherwise who may, by the surface's ids of people and groups: nobody when that is empty.
 * @throws RetryableError when it can't be found out now whether the person is in a group
 */
export async function othersWhoDecide(
  deps: DeciderDeps,
  approval: Pick<Approval, "thread" | "requester">,
  personId: string,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  const who = await decidersOf(deps, approval);
  if (who.includes(personId)) return null;
  const place = placeOf(approval.thread);
  for (const group of place ? who : []) {
    if (place && group !== approval.requester && (await deps.source.inGroup(place, group, personId, signal)))
      return null;
  }
  return who;
}
