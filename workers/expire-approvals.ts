import { isTransient } from "../bots/shared/api-errors.ts";
import { type ApprovalDeps, settleApproval } from "../bots/shared/approvals.ts";
import type { ChatSurface } from "../bots/shared/chat-surface.ts";
import { parseChatThreadKey } from "../bots/shared/chat-thread.ts";
import { messageOf } from "../src/errors.ts";
import { type PeriodicTask, startPeriodic } from "./periodic.ts";

const INTERVAL_MS = 5_000;
/** A decision is sent within seconds; one that was not by then belongs to a process that died, or to an API that was down. */
const STALE_MS = 15_000;
const APPROVALS_PER_RUN = 50;

export interface ApprovalExpiryDeps extends Omit<ApprovalDeps, "surface"> {
  /** The surfaces that this process can post to. Approvals of others are left to the processes that can. */
  surfaces: readonly ChatSurface[];
  staleMs?: number;
}

/**
 * Denies tool calls that nobody has decided on in time, and tells sessions of decisions that did not get through. Any number
 * of processes may do so at once: the first decision counts, and a session takes it once.
 */
export function startApprovalExpiry(deps: ApprovalExpiryDeps): PeriodicTask {
  const { surfaces, records, log, staleMs = STALE_MS } = deps;
  const byName = new Map<string, ChatSurface>(surfaces.map((surface) => [surface.name, surface]));
  const work = async (signal: AbortSignal) => {
    for (const approval of await records.approvals.due([...byName.keys()], staleMs, APPROVALS_PER_RUN)) {
      const surface = byName.get(parseChatThreadKey(approval.thread).surface);
      if (!surface) continue;
      try {
        await settleApproval({ ...deps, surface }, approval, signal);
      } catch (error) {
        signal.throwIfAborted();
        const level = isTransient(error) ? "warn" : "error";
        log[level]({ session_id: approval.sessionId, error: messageOf(error) }, "approval could not be settled");
      }
    }
  };
  return startPeriodic("expire-approvals", INTERVAL_MS, work, log);
}
