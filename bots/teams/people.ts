import { RetryableError, TerminalError } from "../../src/errors.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import type { Person } from "../shared/person.ts";
import type { ConversationStore } from "./conversation-store.ts";
import { type TeamsConnector, type TeamsMember, TeamsRefusedError } from "./teams-connector.ts";
import { teamsThread } from "./teams-thread.ts";

/** Who people are, asked of Teams once in a while. */
export interface TeamsPeople {
  /** `id` is the `aadObjectId`. @throws TerminalError when nobody of that id is in the conversation; RetryableError */
  person(thread: ChatThreadKey, id: string, signal: AbortSignal): Promise<Person>;
  /** Names by id; whom Teams does not tell of is missing. Rejects with the signal's reason, and for nothing else. */
  names(thread: ChatThreadKey, ids: Iterable<string>, signal: AbortSignal): Promise<Map<string, string>>;
}

export interface TeamsPeopleDeps {
  connector: Pick<TeamsConnector, "member">;
  conversations: Pick<ConversationStore, "find">;
  now?: () => number;
}

/** A rename, or a member who became a guest, is seen after this time. */
const KNOWN_FOR_MS = 300_000;
const KNOWN_MAX = 10_000;
const NAMES_WITHIN_MS = 3_000;

export function createTeamsPeople({ connector, conversations, now = Date.now }: TeamsPeopleDeps): TeamsPeople {
  const known = new Map<string, { person: Person; until: number }>();

  const ask = async (thread: ChatThreadKey, id: string, signal: AbortSignal): Promise<Person> => {
    const { place, tenant } = teamsThread(thread);
    const conversation = await conversations.find(place);
    if (!conversation) throw new TerminalError("Nobody has written to Deckhand in this conversation.");
    try {
      return personOf(id, tenant, await connector.member(conversation.ref, id, signal));
    } catch (error) {
      if (!(error instanceof TeamsRefusedError)) throw error;
      throw new TerminalError("Teams knows nobody of this id in this conversation.", { cause: error });
    }
  };

  const person: TeamsPeople["person"] = async (thread, id, signal) => {
    const key = `${teamsThread(thread).place} ${id}`;
    const found = known.get(key);
    if (found && found.until > now()) return found.person;
    const asked = await ask(thread, id, signal);
    known.delete(key);
    known.set(key, { person: asked, until: now() + KNOWN_FOR_MS });
    const [oldest] = known.keys();
    if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
    return asked;
  };

  return {
    person,
    async names(thread, ids, signal) {
      const names = new Map<string, string>();
      const soon = AbortSignal.any([signal, AbortSignal.timeout(NAMES_WITHIN_MS)]);
      for (const id of new Set(ids)) {
        try {
          names.set(id, (await person(thread, id, soon)).name);
        } catch (error) {
          signal.throwIfAborted();
          const expected = soon.aborted || error instanceof TerminalError || error instanceof RetryableError;
          if (!expected) throw error;
        }
      }
      return names;
    },
  };
}

/** `tenantId` is the member's own tenant, `userRole` is `guest` for a guest account of this one. */
function personOf(id: string, tenant: string, { name, email, userRole, tenantId }: TeamsMember): Person {
  const outsider = tenantId !== null && tenantId.toLowerCase() !== tenant.toLowerCase();
  const guest = /guest|anonymous/i.test(userRole ?? "");
  return { id, name: name.trim() || id, email, kind: outsider ? "outsider" : guest ? "guest" : "member" };
}
