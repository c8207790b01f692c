import { TerminalError } from "../../src/errors.ts";
import { approvalMessage, approvalState } from "./approval-card.ts";
import type { Approval } from "./chat-records.ts";
import { placeOf } from "./chat-place.ts";
import type { ApprovalState } from "./chat-surface.ts";
import type { DeliveryScope } from "./delivery-scope.ts";
import { findPost, postOnce, type PostOnce } from "./post-once.ts";
import type { Ask } from "./turn.ts";
import { notice } from "./render.ts";

export interface ThreadApprovalDeps extends DeliveryScope {
  once: PostOnce;
}

const MINUTE_MS = 60_000;

/** The item that an approval's card is posted as. */
export const approvalItem = (toolUseId: string) => `approval:${toolUseId}`;

/** Asks the thread whether a tool call may run. Idempotent: the first time decides how long there is to answer. */
export async function askThread(deps: ThreadApprovalDeps, ask: Ask): Promise<void> {
  const { surface, thread, once, log, signal } = deps;
  const { who, state } = await openApproval(deps, ask);
  const card = approvalMessage(ask, who, state);
  const item = approvalItem(ask.toolUseId);
  try {
    await postOnce(once, item, (marker) => surface.post(thread, card, marker, signal));
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.error({ chat_thread_key: thread, item, error: error.message }, "approval refused by the surface");
    const words = `The agent asks to use \`${ask.toolName}\`, which can't be shown here in full: ${error.message} Write \`approve\`, or \`deny\` and why.`;
    await postOnce(once, `${item}:words`, (marker) => surface.post(thread, notice("warning", words), marker, signal));
  }
}

/**
 * Closes a question that the log has an end of: a decision, also one that was made outside of the thread, or null when it is
 * not asked any more. Idempotent. A card that was never posted stays unposted.
 */
export async function closeInThread(
  deps: ThreadApprovalDeps,
  ask: Ask,
  decision: "allow" | "deny" | null,
): Promise<void> {
  const { surface, thread, once, log, signal, records } = deps;
  const ref = await findPost(once, approvalItem(ask.toolUseId));
  const { who, state } = records
    ? await closedApproval(records, ask, decision)
    : { who: NOBODY, state: ownDecision(decision) };
  if (ref === null) return;
  const card = approvalMessage(ask, who, state);
  try {
    await postOnce(once, `closed:${ask.toolUseId}`, async () => {
      await surface.update(thread, ref, card, signal);
      return ref;
    });
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.error({ chat_thread_key: thread, error: error.message }, "approval could not be updated");
  }
}

interface Shown {
  who: { requester: string | null; approvers: readonly string[] };
  state: ApprovalState;
}

const NOBODY = { requester: null, approvers: [] };

async function openApproval({ records, thread, sessionId }: ThreadApprovalDeps, ask: Ask): Promise<Shown> {
  if (!records) return { who: NOBODY, state: { type: "open", expiresAt: null } };
  const place = placeOf(thread);
  const policy = place && (await records.policies.of(place));
  const summary = await records.directory.summary(thread);
  if (!policy) return { who: NOBODY, state: { type: "open", expiresAt: null } };
  const approval = await records.approvals.ask({
    toolUseId: ask.toolUseId,
    thread,
    sessionId,
    place,
    requester: summary?.requester ?? null,
    toolName: ask.toolName,
    expiresAt: new Date(Date.now() + policy.approvalMinutes * MINUTE_MS),
  });
  return shown(approval, policy.approvers);
}

/** What the log says counts: a decision that came too late for the session is moot, whoever made it. */
async function closedApproval(
  { approvals, policies }: NonNullable<ThreadApprovalDeps["records"]>,
  { toolUseId }: Ask,
  decision: "allow" | "deny" | null,
): Promise<Shown> {
  // One that a person or the clock decided is left to `settleApproval`, which also writes it into the audit.
  if (await approvals.decide(toolUseId, decision ?? "deny", null, null)) await approvals.markSent(toolUseId);
  const approval = await approvals.find(toolUseId);
  if (!approval) return { who: NOBODY, state: { type: "moot" } };
  const place = placeOf(approval.thread);
  const { who, state } = shown(approval, place ? (await policies.of(place)).approvers : []);
  const asDecided =
    state.type === "expired" ? decision === "deny" : state.type === "decided" && state.decision === decision;
  return { who, state: asDecided ? state : { type: "moot" } };
}

function shown(approval: Approval, approvers: readonly string[]): Shown {
  return { who: { requester: approval.requester, approvers }, state: approvalState(approval) };
}

function ownDecision(decision: "allow" | "deny" | null): ApprovalState {
  if (decision === null) return { type: "moot" };
  return { type: "decided", decision, by: "you", at: Date.now(), reason: null };
}
