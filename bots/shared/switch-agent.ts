import { NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import type { ChoosableAgent } from "./agent-choice.ts";
import { agentIn, agentRefusal, mayUseAgent } from "./agent-permission.ts";
import { placeOf } from "./chat-place.ts";
import type { ChatRecords } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { isAtWork } from "./interrupt.ts";
import { leaveSession, type LeaveDeps } from "./leave-session.ts";
import { plainWords } from "./plain-words.ts";
import { notice, type Notice } from "./render.ts";
import type { ThreadSessions } from "./thread-sessions.ts";

export interface SwitchDeps extends LeaveDeps {
  client: Anthropic;
  sessions: Pick<ThreadSessions, "current">;
  records: Pick<ChatRecords, "directory" | "policies">;
  /** Runs where neither policy nor `use` names another. */
  defaultAgentId?: string;
}

const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Gives a thread to another agent, from its next message on. A thread that is at work keeps its agent: what it is doing is
 * not ended by the way, and the policy of its place says whom people may choose. Says what came of it; may be called again.
 * @throws API errors; the signal's reason
 */
export async function switchAgent(
  deps: SwitchDeps,
  thread: ChatThreadKey,
  { id, name }: ChoosableAgent,
  signal: AbortSignal,
): Promise<Notice> {
  const { client, sessions, records, defaultAgentId = null } = deps;
  const place = placeOf(thread);
  const policy = place && (await records.policies.of(place));
  if (policy && !mayUseAgent(policy, id, defaultAgentId)) return agentRefusal(policy);
  const sessionId = await sessions.current(thread);
  if (sessionId !== null) {
    if ((await agentOf(client, sessionId, signal)) === id)
      return notice("info", `**${plainWords(name)}** is at it already.`);
    if (await isAtWork(client, sessionId, signal)) {
      return notice(
        "warning",
        `I am still at work here. Write \`stop\` first, or wait until I am done, then \`use\` again.`,
      );
    }
  }
  await records.directory.chooseAgent(thread, id);
  if (sessionId !== null) await leaveSession(deps, thread, sessionId, signal);
  const forgets = sessionId === null ? "" : ", with nothing remembered from before";
  return notice("info", `The next message begins a session with **${plainWords(name)}**${forgets}.`);
}

/**
 * The agent of a thread: its session's, or else the one that its next session will have. Null when only the server knows.
 * @throws API errors; the signal's reason
 */
export async function threadAgent(
  deps: Pick<SwitchDeps, "client" | "sessions" | "defaultAgentId"> & Partial<Pick<SwitchDeps, "records">>,
  thread: ChatThreadKey,
  signal: AbortSignal,
): Promise<string | null> {
  const sessionId = await deps.sessions.current(thread);
  const running = sessionId === null ? null : await agentOf(deps.client, sessionId, signal);
  if (running !== null) return running;
  const place = placeOf(thread);
  const chosen = (await deps.records?.directory.chosenAgent(thread)) ?? null;
  const policy = place === null ? null : ((await deps.records?.policies.of(place)) ?? null);
  return (policy ? agentIn(policy, chosen) : chosen) ?? deps.defaultAgentId ?? null;
}

/** Null when the session was deleted. */
async function agentOf(client: Anthropic, sessionId: string, signal: AbortSignal): Promise<string | null> {
  try {
    const { agent } = await client.beta.sessions.retrieve(sessionId, {}, { signal, timeout: REQUEST_TIMEOUT_MS });
    return agent.id;
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}
