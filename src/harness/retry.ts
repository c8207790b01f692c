/** How often and how patiently a failed model request is tried again. */
export interface RetryPolicy {
  attemptsMax: number;
  baseMs: number;
  delayMaxMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attemptsMax: 6, baseMs: 500, delayMaxMs: 30_000 };

/**
 * Milliseconds to wait after the `attempt`-th failure (from 1), or null when it was the last one allowed.
 * The provider's own word counts when it asks for more. `random` is in [0, 1): up to a quarter is taken off, so that
 * sessions that failed together don't come back together.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  attempt: number,
  retryAfterMs: number | null,
  random: number,
): number | null {
  if (attempt >= policy.attemptsMax) return null;
  const backoffMs = Math.min(policy.delayMaxMs, policy.baseMs * 2 ** (attempt - 1));
  return Math.round(Math.max(retryAfterMs ?? 0, backoffMs * (1 - random / 4)));
}
