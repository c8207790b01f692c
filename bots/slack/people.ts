import { z } from "zod";
import { RetryableError } from "../../src/errors.ts";
import type { Person } from "../shared/person.ts";
import { untilAborted } from "../shared/until-aborted.ts";
import { refusedWith } from "./errors.ts";
import type { SlackApi } from "./web-api.ts";

/** Who people are, asked of Slack once in a while. */
export interface SlackPeople {
  /** @throws TerminalError when Slack knows nobody of this id; RetryableError */
  person(team: string, id: string, signal: AbortSignal): Promise<Person>;
  /** Names by id; whom Slack does not tell of is missing. Rejects with RetryableError. */
  names(team: string, ids: Iterable<string>, signal: AbortSignal): Promise<Map<string, string>>;
}

/** A rename, or a member who became a guest, is seen after this time. */
const KNOWN_FOR_MS = 300_000;
const KNOWN_MAX = 10_000;
/** With the wait for its turn. */
const ASK_TIMEOUT_MS = 30_000;

const User = z.looseObject({
  id: z.string(),
  team_id: z.string().nullish(),
  name: z.string().nullish(),
  real_name: z.string().nullish(),
  is_restricted: z.boolean().nullish(),
  is_ultra_restricted: z.boolean().nullish(),
  is_stranger: z.boolean().nullish(),
  enterprise_user: z.looseObject({ enterprise_id: z.string().nullish() }).nullish(),
  profile: z
    .looseObject({ display_name: z.string().nullish(), real_name: z.string().nullish(), email: z.string().nullish() })
    .nullish(),
});
type User = z.infer<typeof User>;
const UserAnswer = z.looseObject({ user: User });
const Identity = z.looseObject({ enterprise_id: z.string().nullish() });

const NOT_SEEN: ReadonlySet<string> = new Set(["user_not_visible"]);
const UNKNOWN: ReadonlySet<string> = new Set(["user_not_visible", "user_not_found", "users_not_found"]);

export function createSlackPeople(api: SlackApi, now: () => number): SlackPeople {
  const known = new Map<string, { person: Person; until: number }>();
  const asking = new Map<string, Promise<Person>>();
  /** Never changes for a team; null for one of no enterprise. */
  const enterprises = new Map<string, string | null>();

  const enterpriseOf = async (team: string, signal: AbortSignal): Promise<string | null> => {
    const found = enterprises.get(team);
    if (found !== undefined) return found;
    const answer = await api.call({ team, method: "auth.test" }, (client) => client.auth.test(), Identity, signal);
    const enterprise = answer.enterprise_id ?? null;
    enterprises.set(team, enterprise);
    return enterprise;
  };

  /**
   * `is_stranger` is set only for those with whom no channel is shared, so the team decides. In an enterprise, the other
   * teams of it are no outsiders.
   */
  const isOutsider = async (team: string, user: User, signal: AbortSignal): Promise<boolean> => {
    if (user.team_id === team) return false;
    const theirs = user.enterprise_user?.enterprise_id ?? null;
    if (user.is_stranger === true || theirs === null) return true;
    return theirs !== team && theirs !== (await enterpriseOf(team, signal));
  };

  const ask = async (team: string, id: string, signal: AbortSignal): Promise<Person> => {
    const call = { team, method: "users.info" };
    try {
      const { user } = await api.call(call, (client) => client.users.info({ user: id }), UserAnswer, signal);
      const guest = user.is_restricted === true || user.is_ultra_restricted === true;
      const kind = (await isOutsider(team, user, signal)) ? "outsider" : guest ? "guest" : "member";
      return { id, name: nameOf(user), email: user.profile?.email || null, kind };
    } catch (error) {
      if (!refusedWith(error, NOT_SEEN)) throw error;
      return { id, name: id, email: null, kind: "outsider" };
    }
  };

  const askOnce = (team: string, id: string, key: string): Promise<Person> => {
    const asked = ask(team, id, AbortSignal.timeout(ASK_TIMEOUT_MS))
      .then((person) => {
        known.delete(key);
        known.set(key, { person, until: now() + KNOWN_FOR_MS });
        const [oldest] = known.keys();
        if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
        return person;
      })
      .catch((error: unknown) => {
        if (!isTimeout(error)) throw error;
        throw new RetryableError("Slack did not say in time who somebody is.", { cause: error });
      })
      .finally(() => asking.delete(key));
    asking.set(key, asked);
    return asked;
  };

  const person: SlackPeople["person"] = async (team, id, signal) => {
    const key = `${team}:${id}`;
    const found = known.get(key);
    if (found && found.until > now()) return found.person;
    // One question for however many wait for its answer, so none of their signals ends it.
    const asked = asking.get(key) ?? askOnce(team, id, key);
    return await untilAborted(asked, signal);
  };

  return {
    person,
    async names(team, ids, signal) {
      const names = new Map<string, string>();
      for (const id of new Set(ids)) {
        try {
          names.set(id, (await person(team, id, signal)).name);
        } catch (error) {
          if (!refusedWith(error, UNKNOWN)) throw error;
        }
      }
      return names;
    },
  };
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

function nameOf({ id, name, real_name, profile }: User): string {
  return profile?.display_name?.trim() || real_name?.trim() || profile?.real_name?.trim() || name || id;
}
