import { messageOf } from "../../src/errors.ts";
import type { Inbox, ItemClaim } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

/** The item is no longer this attempt's: it was dropped, or another attempt has begun. */
export class ClaimLostError extends Error {
  override readonly name = "ClaimLostError";
}

export interface HeldClaim {
  /** Aborts when the claim is lost, with a ClaimLostError, or the caller's signal aborts. */
  signal: AbortSignal;
  /** @throws ClaimLostError when it is lost at this moment */
  confirm(): Promise<void>;
  /** Stops renewing. */
  stop(): void;
}

/** Renews a claim until it is stopped or lost. */
export function keepClaim(
  inbox: Inbox,
  thread: ChatThreadKey,
  claim: ItemClaim,
  ttlMs: number,
  signal: AbortSignal,
): HeldClaim {
  const lost = new AbortController();
  const confirm = async () => {
    if (!(await inbox.renew(thread, claim, ttlMs))) lost.abort(new ClaimLostError(`${claim.messageId} was dropped.`));
    lost.signal.throwIfAborted();
  };
  const renew = async () => {
    try {
      await confirm();
    } catch (error) {
      lost.abort(new ClaimLostError(`The claim could not be renewed: ${messageOf(error)}`, { cause: error }));
      clearInterval(timer);
    }
  };
  const timer = setInterval(() => void renew(), ttlMs / 3);
  return { signal: AbortSignal.any([signal, lost.signal]), confirm, stop: () => clearInterval(timer) };
}
