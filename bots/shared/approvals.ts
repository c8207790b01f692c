import type { Anthropic } from "@anthropic-ai/sdk";
import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { denialOf } from "./admission.ts";
import { isTransient } from "./api-errors.ts";
import { approvalMessage, approvalState } from "./approval-card.ts";
import { placeOf } from "./chat-place.ts";
import type { Approval, ChatRecords } from "./chat-records.ts";
import type { ChatSource } from "./chat-source.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ApprovalState, ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { othersWhoDecide } from "./deciders.ts";
import { findAsks } from "./pending-asks.ts";
import type { Person } from "./person.ts";
import { findPost } from "./post-once.ts";
import { approvalItem } from "./thread-approvals.ts";
import { confirmTool } from "./tool-confirmation.ts";

export interface ApprovalDeps {
  client: Anthropic;
  surface: ChatSurface;
  store: Pick<ChatStore, "deliveries">;
  records: Pick<ChatRecords, "approvals" | "policies" | "audit">;
  /** Makes sure that someone delivers this thread. A hint: what there is to deliver is in the store already. */
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
  log: Logger;
}

export interface ApprovalVote {
  toolUseId: string;
  person: Person;
  decision: "allow" | "deny";
  reason: string | null;
}

export type VoteResult =
  /** It counts. The session was told or, where it can't be reached, will be. */
  | { type: "decided"; approval: Approval }
  /** `who` may decide: ids of people and groups; empty when nobody is known who may. */
  | { type: "not_yours"; who: readonly string[] }
  /** Nothing to decide any more: somebody did, time ran out, or the session moved on. Null for one that we never asked. */
  | { type: "too_late"; approval: Approval | null };

type Decider = Pick<Person, "id" | "name" | "email">;

const TIME_RAN_OUT = "Nobody approved this in time, so it was not run.";

/**
 * Decides on a tool call that waits for people. May be called again with the same vote: the same person's same decision
 * is brought to its end and counts as decided. A session that can't be told now is told later, by `settleApproval`.
 * @throws RetryableError when it can't be found out now whether the person is in a group; API errors that are final
 */
export async function decideApproval(
  deps: ApprovalDeps & { source: Pick<ChatSource, "inGroup"> },
  { toolUseId, person, decision, reason }: ApprovalVote,
  signal: AbortSignal,
): Promise<VoteResult> {
  const { approvals } = deps.records;
  const asked = await approvals.find(toolUseId);
  if (!asked) return { type: "too_late", approval: null };
  const others = await othersWhoDecide(deps, asked, person.id, signal);
  const who = others ?? ((await isLetIn(deps, asked, person, signal)) ? null : []);
  if (who !== null) return { type: "not_yours", who };

  await approvals.decide(toolUseId, decision, { id: person.id, name: person.name }, reason);
  const approval = (await approvals.find(toolUseId)) ?? asked;
  const counts = approval.decidedBy?.id === person.id && approval.decision === decision;
  if (approval.sent) return counts ? { type: "decided", approval } : { type: "too_late", approval };
  const known = await tryToSettle(deps, approval, counts ? person : null, signal);
  return counts && known !== false ? { type: "decided", approval } : { type: "too_late", approval };
}

/** Whoever asked for the work decides only as long as they may ask for it; whom a policy names as approver need not. */
async function isLetIn(
  { records, source }: Pick<ApprovalDeps, "records"> & { source: Pick<ChatSource, "inGroup"> },
  { thread }: Approval,
  person: Person,
  signal: AbortSignal,
): Promise<boolean> {
  const place = placeOf(thread);
  if (place === null) return true;
  const policy = await records.policies.of(place);
  return policy.approvers.length > 0 || (await denialOf(source, policy, place, person, signal)) === null;
}

/**
 * Brings a decision to where it counts: the session is told, the decision is written down, delivery is woken, the card says
 * it. May be called again after a crash at any point. Also for one whose time is over: that denies it.
 * @returns whether the session took it; false when it had moved on
 * @throws API errors, after which it is called again; the signal's reason
 */
export async function settleApproval(deps: ApprovalDeps, open: Approval, signal: AbortSignal): Promise<boolean> {
  const { approvals } = deps.records;
  if (open.decision === null) await approvals.decide(open.toolUseId, "expired", null, null);
  const approval = (await approvals.find(open.toolUseId)) ?? open;
  return settle(deps, approval, approval.decidedBy && { ...approval.decidedBy, email: null }, signal);
}

/** `by` is who decided, as far as is known of them. */
async function settle(
  deps: ApprovalDeps,
  approval: Approval,
  by: Decider | null,
  signal: AbortSignal,
): Promise<boolean> {
  const taken = await confirmTool(
    deps.client,
    approval.sessionId,
    {
      toolUseId: approval.toolUseId,
      decision: approval.decision === "allow" ? "allow" : "deny",
      denyMessage: approval.decision === "expired" ? TIME_RAN_OUT : approval.reason,
    },
    signal,
  );
  await deps.store.deliveries.wake(approval.thread);
  // Before it is marked: once too often in the audit is better than never.
  await audit(deps, approval, by, taken);
  await deps.records.approvals.markSent(approval.toolUseId);
  await deps.ensureDelivery(approval.thread);
  await redraw(deps, approval, taken ? approvalState(approval) : { type: "moot" }, signal);
  return taken;
}

/** Null when the session could not be told; whoever looks for what is due does it then. */
async function tryToSettle(
  deps: ApprovalDeps,
  approval: Approval,
  by: Decider | null,
  signal: AbortSignal,
): Promise<boolean | null> {
  try {
    return by ? await settle(deps, approval, by, signal) : await settleApproval(deps, approval, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isTransient(error)) throw error;
    deps.log.warn({ session_id: approval.sessionId, error: messageOf(error) }, "a decision will be sent later");
    await redraw(deps, approval, approvalState(approval), signal);
    return null;
  }
}

async function audit(
  { records }: ApprovalDeps,
  approval: Approval,
  person: Decider | null,
  taken: boolean,
): Promise<void> {
  const { thread, sessionId, toolUseId, toolName, decision, reason } = approval;
  await records.audit.record({
    action: "approval_decided",
    place: placeOf(thread),
    thread,
    sessionId,
    person,
    detail: { tool_use_id: toolUseId, tool_name: toolName, decision, reason, taken },
  });
}

/** At once, so that whoever pressed sees it. Where it fails, the deliverer does it when the decision is in the log. */
async function redraw(
  deps: ApprovalDeps,
  approval: Approval,
  state: ApprovalState,
  signal: AbortSignal,
): Promise<void> {
  const { client, surface, store, log } = deps;
  const { thread, sessionId, toolUseId, toolName, requester } = approval;
  try {
    const ref = await findPost({ surface, deliveries: store.deliveries, thread, signal }, approvalItem(toolUseId));
    if (ref === null) return;
    const [ask = { toolUseId, toolName, input: {} }] = await findAsks(client, sessionId, [toolUseId], signal);
    const place = placeOf(thread);
    const approvers = place ? (await deps.records.policies.of(place)).approvers : [];
    await surface.update(thread, ref, approvalMessage(ask, { requester, approvers }, state), signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ chat_thread_key: thread, error: messageOf(error) }, "approval could not be updated");
  }
}
