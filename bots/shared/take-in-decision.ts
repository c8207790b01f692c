import { decideApproval, type ApprovalDeps } from "./approvals.ts";
import type { ChatSource } from "./chat-source.ts";
import type { ChatStore } from "./chat-store.ts";
import { plainWords } from "./plain-words.ts";
import { notice } from "./render.ts";
import type { DecisionCall } from "./take-in-scope.ts";
import { tell } from "./tell.ts";

export interface DecisionDeps extends Omit<ApprovalDeps, "store"> {
  store: ChatStore;
  source: Pick<ChatSource, "inGroup">;
}

/**
 * Decides on a tool call, if this person may. A surface tells who may not before it keeps their word; this is for whom the
 * policy has changed since. That it is too late is on the card by then.
 * @throws what `decideApproval` does; RetryableError when the surface can't take a post now
 */
export async function takeInDecision(deps: DecisionDeps, call: DecisionCall, signal: AbortSignal): Promise<void> {
  const { thread, messageId, person, toolUseId, decision, reason } = call;
  const { type } = await decideApproval(deps, { toolUseId, person, decision, reason }, signal);
  if (type !== "not_yours") return;
  const words = notice("warning", `Sorry ${plainWords(person.name)}, you may not decide on this.`);
  await tell(deps, thread, `not_yours:${messageId}`, words, signal);
}
