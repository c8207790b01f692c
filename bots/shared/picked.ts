import { placeOf, teamOf, type ChatPlaceKey } from "./chat-place.ts";
import type { ChatRecords } from "./chat-records.ts";
import type { ChatSource } from "./chat-source.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { Person } from "./person.ts";
import { notice, type Notice } from "./render.ts";
import { actOnThread, type ActionDeps, type ThreadAction } from "./thread-action.ts";

export interface PickedDeps extends ActionDeps {
  records: Pick<ChatRecords, "directory" | "policies">;
  source: Pick<ChatSource, "inGroup">;
}

/** A thread that was chosen from a `pick`, or from another list. Only team and person are known to be true. */
export interface PickedCall {
  /** The surface's own id of the choice; the same when it is delivered again. */
  id: string;
  action: ThreadAction;
  thread: ChatThreadKey;
  team: ChatPlaceKey;
  person: Pick<Person, "id" | "name">;
  /** What to say, for `steer`. */
  text: string | null;
}

/**
 * Does it if the person may: the session is theirs, or they decide on approvals in its place. Says to the person what comes
 * of it. @throws the signal's reason; errors of the stores; RetryableError of the surface
 */
export async function runPicked(deps: PickedDeps, call: PickedCall, signal: AbortSignal): Promise<Notice> {
  const { id, action, thread, team, person, text } = call;
  const place = placeOf(thread);
  // What another team does is not this person's to know, either.
  const summary = place !== null && teamOf(place) === team ? await deps.records.directory.summary(thread) : null;
  if (!summary || place === null) return notice("info", "That thread has no session any more.");
  if (summary.requester !== person.id && !(await decidesIn(deps, place, person.id, signal))) {
    return notice(
      "warning",
      "Only the person who began this session, and those who decide on approvals there, may do that.",
    );
  }
  if (action === "steer" && (text ?? "").trim() === "") return notice("info", "There was nothing to pass on.");
  return actOnThread(deps, { id, action, text, person, summary }, signal);
}

/** Approvers are people and groups. */
async function decidesIn(
  { records, source }: PickedDeps,
  place: ChatPlaceKey,
  personId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { approvers } = await records.policies.of(place);
  if (approvers.includes(personId)) return true;
  for (const group of approvers) {
    if (await source.inGroup(place, group, personId, signal)) return true;
  }
  return false;
}
