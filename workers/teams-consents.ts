import { isTransient } from "../bots/shared/api-errors.ts";
import { type ConsentDeps, settleConsent } from "../bots/teams/consents.ts";
import type { AnsweredConsent, ConsentStore } from "../bots/teams/consent-store.ts";
import { messageOf, RetryableError } from "../src/errors.ts";
import { type PeriodicTask, startPeriodic } from "./periodic.ts";

export interface TeamsConsentsDeps extends Omit<ConsentDeps, "consents"> {
  consents: ConsentStore;
  /** How long an attempt is left alone by others after its last sign of life. */
  claimMs?: number;
  intervalMs?: number;
}

const INTERVAL_MS = 1_000;
const CLAIM_MS = 30_000;
const AT_ONCE_MAX = 8;
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 60_000;

/**
 * Does what people answered to offers of files. Any number of processes may: an answer is one's at a time, and a process that
 * dies leaves it to the others.
 */
export function startTeamsConsents(deps: TeamsConsentsDeps): PeriodicTask {
  const { consents, log, claimMs = CLAIM_MS, intervalMs = INTERVAL_MS } = deps;
  const work = async (signal: AbortSignal) => {
    await Promise.all(Array.from({ length: AT_ONCE_MAX }, () => settleAll(signal)));
  };
  const settleAll = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      const consent = await consents.claimNext(claimMs);
      if (!consent) return;
      await attempt(consent, signal);
    }
  };

  const attempt = async (consent: AnsweredConsent, signal: AbortSignal) => {
    const lost = new AbortController();
    const renew = setInterval(() => {
      consents
        .renew(consent)
        .then((held) => {
          if (!held) lost.abort(new Error("Another process has claimed it."));
        })
        .catch((error: unknown) => lost.abort(error));
    }, claimMs / 3);
    try {
      await settleConsent(deps, consent, AbortSignal.any([signal, lost.signal]));
    } catch (error) {
      const later = signal.aborted ? 0 : retryMs(consent.attempts, error);
      const level = signal.aborted || lost.signal.aborted || isPassing(error) ? "info" : "error";
      log[level]({ consent: consent.id, error: messageOf(error) }, "an accepted file waits for another attempt");
      if (!lost.signal.aborted) await consents.postpone(consent, claimMs, later);
    } finally {
      clearInterval(renew);
    }
  };

  return startPeriodic("teams-consents", intervalMs, work, log);
}

function isPassing(error: unknown): boolean {
  return error instanceof RetryableError || isTransient(error);
}

function retryMs(attempts: number, error: unknown): number {
  const asked = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** attempts));
}
