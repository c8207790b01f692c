import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import { agentIn } from "./agent-permission.ts";
import type { ChannelPolicy } from "./channel-policy.ts";
import { parseChatThreadKey, type ChatThreadKey } from "./chat-thread.ts";
import type { Person } from "./person.ts";
import type { TakeInScope } from "./take-in-scope.ts";
import type { SessionPlan } from "./thread-sessions.ts";

export interface SessionOrigin {
  thread: ChatThreadKey;
  policy: ChannelPolicy;
  person: Person;
  /** That the person named, who may not be allowed to; null for what was chosen for the thread, or by the policy. */
  agentId: string | null;
  title: string;
}

const LINK_TIMEOUT_MS = 3_000;

/**
 * What a new session of a thread runs on, and who asked for it from where.
 * @throws API errors, where the default agent or environment is needed
 */
export async function planSession(
  scope: Pick<TakeInScope, "source" | "records" | "defaultAgent" | "log">,
  { thread, policy, person, agentId, title }: SessionOrigin,
  signal: AbortSignal,
): Promise<SessionPlan> {
  const [chosen, link] = await Promise.all([
    scope.records.directory.chosenAgent(thread),
    linkTo(scope, thread, signal),
  ]);
  const agent = agentIn(policy, agentId, chosen);
  return {
    agentId: agent ?? (await scope.defaultAgent.get()).agentId,
    environmentId: policy.environmentId ?? (await scope.defaultAgent.get()).environmentId,
    vaultIds: policy.vaultIds,
    title,
    metadata: originMetadata(thread, person, link),
  };
}

/** Pure: at most 7 pairs. What is not known is left out. */
function originMetadata(key: ChatThreadKey, person: Person, link: string | null): Record<string, string> {
  const thread = parseChatThreadKey(key);
  return {
    chat_surface: thread.surface,
    ...(thread.surface === "slack" && { chat_team: thread.team, chat_channel: thread.channel }),
    ...(thread.surface === "teams" && { chat_team: thread.tenant, chat_channel: thread.conversation }),
    chat_user: person.id,
    chat_user_name: person.name,
    ...(person.email !== null && { chat_user_email: person.email }),
    ...(link !== null && { chat_link: link }),
  };
}

/** A session without its link is better than none. */
async function linkTo(
  { source, log }: Pick<TakeInScope, "source" | "log">,
  thread: ChatThreadKey,
  signal: AbortSignal,
): Promise<string | null> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LINK_TIMEOUT_MS)]);
  try {
    return await source.linkTo(thread, limited);
  } catch (error) {
    signal.throwIfAborted();
    if (!limited.aborted && !(error instanceof RetryableError || error instanceof TerminalError)) throw error;
    log.warn({ chat_thread_key: thread, error: messageOf(error) }, "no link to the thread");
    return null;
  }
}
