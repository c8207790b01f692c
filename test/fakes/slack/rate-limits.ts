import type { Clock } from "./clock.ts";
import type { Tier } from "./method.ts";

export interface RateLimits {
  /** Least time between two messages in a channel. */
  postIntervalMs?: number;
  /** Calls of one method by one install in the window, by tier. */
  perWindow?: Partial<Record<Tier, number>>;
  /** Calls of one method alone; goes before its tier. */
  perMethod?: Record<string, number>;
  windowMs?: number;
}

const DEFAULT_WINDOW_MS = 60_000;
/** Bursts of a few are tolerated, as Slack says it does, within this many. */
const POST_BURST = 1;

/** In seconds until the call may be made again; null when it may be made now, which then counts. */
export type Limiter = (method: string, tier: Tier, install: string, channel: unknown) => number | null;

/** As Slack documents its tiers: 1, 20, 50 and 100 calls a minute, a post a second. */
export const DOCUMENTED_LIMITS: RateLimits = {
  postIntervalMs: 1_000,
  perWindow: { 1: 1, 2: 20, 3: 50, 4: 100 },
};

export function createLimiter(clock: Clock, limits: () => RateLimits | null): Limiter {
  const calls = new Map<string, number[]>();

  const take = (key: string, max: number, windowMs: number): number | null => {
    const now = clock.now();
    const recent = (calls.get(key) ?? []).filter((at) => at > now - windowMs);
    calls.set(key, recent);
    const [oldest] = recent;
    if (recent.length >= max && oldest !== undefined) return Math.ceil((oldest + windowMs - now) / 1000);
    recent.push(now);
    return null;
  };

  return (method, tier, install, channel) => {
    const set = limits();
    if (!set) return null;
    const windowMs = set.windowMs ?? DEFAULT_WINDOW_MS;
    const perMethod = set.perMethod?.[method] ?? set.perWindow?.[tier];
    const waitSeconds = perMethod === undefined ? null : take(`${install} ${method}`, perMethod, windowMs);
    if (waitSeconds !== null || method !== "chat.postMessage" || set.postIntervalMs === undefined) return waitSeconds;
    return take(`${install} ${String(channel)}`, POST_BURST, set.postIntervalMs);
  };
}
