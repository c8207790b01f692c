import type { Clock } from "../slack/clock.ts";
import { Refusal } from "./refusal.ts";

export interface Window {
  max: number;
  ms: number;
}

export interface Throttles {
  /** Posts, edits and deletions of the bot in one thread. */
  perThread: readonly Window[];
  /** Asking for members of one conversation. */
  members: readonly Window[];
}

/** As Microsoft documents them for a bot in a thread. */
export const DOCUMENTED_THROTTLES: Throttles = {
  perThread: [
    { max: 7, ms: 1_000 },
    { max: 8, ms: 2_000 },
    { max: 60, ms: 30_000 },
    { max: 1_800, ms: 3_600_000 },
  ],
  members: [
    { max: 14, ms: 1_000 },
    { max: 16, ms: 2_000 },
    { max: 120, ms: 30_000 },
    { max: 3_600, ms: 3_600_000 },
  ],
};

/** @throws Refusal 429 with Retry-After when the window is full; otherwise the call counts. */
export type Throttle = (kind: keyof Throttles, key: string) => void;

export function createThrottle(clock: Clock, throttles: () => Throttles | null): Throttle {
  const calls = new Map<string, number[]>();
  return (kind, key) => {
    const windows = throttles()?.[kind];
    if (!windows) return;
    const now = clock.now();
    const longestMs = Math.max(...windows.map(({ ms }) => ms));
    const recent = (calls.get(`${kind} ${key}`) ?? []).filter((at) => at > now - longestMs);
    for (const { max, ms } of windows) {
      const within = recent.filter((at) => at > now - ms);
      const [oldest] = within;
      if (within.length < max || oldest === undefined) continue;
      const retryAfter = String(Math.max(1, Math.ceil((oldest + ms - now) / 1000)));
      throw new Refusal(429, "TooManyRequests", "API calls quota exceeded.", {
        headers: { "retry-after": retryAfter },
      });
    }
    recent.push(now);
    calls.set(`${kind} ${key}`, recent);
  };
}
