import { randomUUID } from "node:crypto";
import type { Anthropic } from "@anthropic-ai/sdk";
import { wait } from "./backoff.ts";
import type { SessionReservation, ThreadStore } from "./chat-store.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { ChatAgent } from "./default-agent.ts";

export interface ThreadSessions {
  /**
   * The thread's session, made as `plan` says when it has none. However many ask at once, in however many processes, it is
   * one.
   * @throws API errors, after which it may be called again; the signal's reason
   */
  ensure(thread: ChatThreadKey, plan: SessionPlan, signal: AbortSignal): Promise<string>;
  /** The session the thread has now. */
  current(thread: ChatThreadKey): Promise<string | null>;
  /** Leaves the session behind, so that the next message starts a new one. */
  detach(thread: ChatThreadKey, sessionId: string): Promise<void>;
}

/** What a thread's session is to be. */
export interface SessionPlan extends Pick<ChatAgent, "agentId" | "environmentId"> {
  /** Cut when it is long. */
  title: string;
  vaultIds?: readonly string[];
  /** At most 13 pairs, besides our own; values are cut to what the API takes. */
  metadata?: Readonly<Record<string, string>>;
}

export interface ThreadSessionsDeps {
  client: Anthropic;
  threads: ThreadStore;
  /** How long a creator that died keeps others waiting. */
  reservationMs?: number;
}

const RESERVATION_MS = 20_000;
const CREATE_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const TITLE_CHARS_MAX = 120;
const METADATA_CHARS_MAX = 512;
const PAGE_SIZE = 100;
/** Our clock and the API's may differ by this much. */
const CLOCK_SKEW_MS = 120_000;

/**
 * A session is created only under a reservation in the thread's row. Whoever gets the reservation after a creator that
 * died looks for the session which that one may have made, by its metadata, before making another.
 */
export function createThreadSessions(deps: ThreadSessionsDeps): ThreadSessions {
  const { threads } = deps;
  return {
    async ensure(thread, plan, signal) {
      const owner = randomUUID();
      while (true) {
        const { sessionId } = await threads.open(thread);
        if (sessionId !== null) return sessionId;
        const reservation = await threads.reserveSession(thread, owner, deps.reservationMs ?? RESERVATION_MS);
        if (!reservation) {
          await wait(POLL_MS, signal);
          continue;
        }
        const made = await createUnder(deps, { thread, owner, reservation, plan }, signal);
        if (made !== null) return made;
      }
    },

    current: async (thread) => (await threads.open(thread)).sessionId,

    detach: (thread, sessionId) => threads.detachSession(thread, sessionId),
  };
}

interface Creation {
  thread: ChatThreadKey;
  owner: string;
  reservation: SessionReservation;
  plan: SessionPlan;
}

/** Null when the reservation lapsed meanwhile; the session made in vain is archived. */
async function createUnder(
  { client, threads }: ThreadSessionsDeps,
  { thread, owner, reservation, plan }: Creation,
  signal: AbortSignal,
): Promise<string | null> {
  const mark = { deckhand: "chat", chat_thread: thread, chat_generation: String(reservation.generation) };
  try {
    const orphan = reservation.triedSince && (await findSession(client, mark, reservation.triedSince, signal));
    const sessionId =
      orphan ??
      (
        await client.beta.sessions.create(
          {
            agent: plan.agentId,
            environment_id: plan.environmentId,
            title: [...plan.title].slice(0, TITLE_CHARS_MAX).join(""),
            metadata: { ...cutValues(plan.metadata ?? {}), ...mark },
            ...(plan.vaultIds && plan.vaultIds.length > 0 && { vault_ids: [...plan.vaultIds] }),
          },
          // Not repeated by the SDK: an attempt whose answer was lost may have made the session.
          { signal, timeout: CREATE_TIMEOUT_MS, maxRetries: 0 },
        )
      ).id;
    if (await threads.bindSession(thread, owner, sessionId)) return sessionId;
    await client.beta.sessions.archive(sessionId, {}, { signal });
    return null;
  } catch (error) {
    await threads.cancelReservation(thread, owner);
    throw error;
  }
}

function cutValues(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, value.slice(0, METADATA_CHARS_MAX)]));
}

async function findSession(
  client: Anthropic,
  wanted: Record<string, string>,
  since: Date,
  signal: AbortSignal,
): Promise<string | null> {
  const after = new Date(since.getTime() - CLOCK_SKEW_MS).toISOString();
  const listed = client.beta.sessions.list({ limit: PAGE_SIZE, "created_at[gte]": after }, { signal });
  for await (const session of listed) {
    if (Object.entries(wanted).every(([key, value]) => session.metadata[key] === value)) return session.id;
  }
  return null;
}
