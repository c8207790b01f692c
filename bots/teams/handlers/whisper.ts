import type { Origin } from "../inbound-activity.ts";
import { type OutboundActivity, TeamsRefusedError } from "../teams-connector.ts";
import { teamsThread } from "../teams-thread.ts";
import type { HandlerDeps } from "./handler-deps.ts";

const WHISPER_WITHIN_MS = 60_000;
const NOT_FOUND = 404;

/**
 * Has something said to one person where they are, without anybody else seeing it. Returns at once; whoever can't be told is
 * not told later.
 */
export function whisper(
  { afterwards, connector }: Pick<HandlerDeps, "afterwards" | "connector">,
  { thread, person, ref }: Origin,
  words: (signal: AbortSignal) => Promise<OutboundActivity>,
): void {
  afterwards.run("tell a person in Teams", async (stopping) => {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(WHISPER_WITHIN_MS)]);
    const activity = await words(signal);
    const { rootId } = teamsThread(thread);
    const tellIn = (root: string | null) => connector.sendTargeted(ref, root, person.teamsId, activity, signal);
    // In a personal chat nobody else is there, and Teams takes no targeted message.
    if (ref.kind === "personal") await connector.send(ref, rootId, activity, signal);
    else if (rootId === null) await tellIn(null);
    else await tellIn(rootId).catch((error: unknown) => (isNowhere(error) ? tellIn(null) : Promise.reject(error)));
  });
}

/** A command that only its caller sees may name itself as its thread's root, and then there is no such thread. */
function isNowhere(error: unknown): boolean {
  return error instanceof TeamsRefusedError && error.refusal.status === NOT_FOUND;
}
