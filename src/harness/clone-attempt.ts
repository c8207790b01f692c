import type { LoggedEvent } from "../sessions/event-log.ts";
import type { RepositoryErrorDetail } from "../schemas/event.ts";
import type { ClonedRepository } from "./session-equipment.ts";

/**
 * The id of the call that is to clone a repository now; null when it failed since the last message, and the next one is to
 * be waited for. It is the same for each harness that takes up the turn, so that a clone which is under way is joined. Pure.
 */
export function cloneAttempt(
  events: readonly LoggedEvent[],
  { resourceId, url }: Pick<ClonedRepository, "resourceId" | "url">,
): string | null {
  const asked = events.findLastIndex(({ event }) => event.type === "user.message");
  const failed = events.findLastIndex(
    ({ event }) => event.type === "session.error" && repositoryOf(event.error) === url,
  );
  if (failed > asked) return null;
  const interrupted = events.findLastIndex(({ event }) => event.type === "user.interrupt");
  const message = events[asked]?.event.id;
  // The runner remembers what came of the attempt before, so the next one is another call.
  return (failed !== -1 || interrupted !== -1) && message ? `${resourceId}-${message}` : resourceId;
}

const repositoryOf = (error: object) => ("repository_url" in error ? error.repository_url : null);

type RepositoryErrorType = RepositoryErrorDetail["type"];

/** In git's own words, and in this order: a branch that is not there is "not found" as well. */
const SIGNS: readonly [RepositoryErrorType, RegExp][] = [
  [
    "repository_checkout_error",
    /remote branch .* not found|couldn't find remote ref|pathspec .* did not match|not our ref|reference is not a tree|unable to read tree/i,
  ],
  ["repository_authentication_error", /authentication failed|could not read (username|password)|returned error: 401/i],
  ["repository_forbidden_error", /returned error: 403|access denied/i],
  ["repository_not_found_error", /returned error: 404|repository .*not found/i],
];

/** What kind of failure git's last lines tell of. Pure. */
export function cloneFailure(output: string): RepositoryErrorType {
  return SIGNS.find(([, sign]) => sign.test(output))?.[0] ?? "repository_clone_error";
}
