export interface LimitOptions {
  requestsPerMinute: number;
  bytesPerHour: number;
}

/** What one sandbox may ask for and move, in this process's memory. Each bucket begins full and fills up evenly. */
export interface SessionLimits {
  /**
   * Takes one request. `over` is to be recorded; `still_over` follows one that was just recorded, so that a flood makes
   * no flood of rows.
   */
  takeRequest(gatewayId: string): "ok" | "over" | "still_over";
  /** False when nothing is left after them. They have moved, so they count all the same. */
  takeBytes(gatewayId: string, count: number): boolean;
  forget(gatewayId: string): void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const RECORD_EVERY_MS = 10_000;

interface Sandbox {
  requests: Bucket;
  bytes: Bucket;
  recordedAt: number;
}

/** @param now a clock in ms that never goes back */
export function createSessionLimits(
  { requestsPerMinute, bytesPerHour }: LimitOptions,
  now = () => performance.now(),
): SessionLimits {
  const sandboxes = new Map<string, Sandbox>();

  const sandboxOf = (gatewayId: string): Sandbox => {
    const known = sandboxes.get(gatewayId);
    if (known) return known;
    const made = {
      requests: new Bucket(requestsPerMinute, MINUTE_MS, now),
      bytes: new Bucket(bytesPerHour, HOUR_MS, now),
      recordedAt: -Infinity,
    };
    sandboxes.set(gatewayId, made);
    return made;
  };

  return {
    takeRequest(gatewayId) {
      const sandbox = sandboxOf(gatewayId);
      if (sandbox.requests.left() >= 1) {
        sandbox.requests.take(1);
        return "ok";
      }
      if (now() - sandbox.recordedAt < RECORD_EVERY_MS) return "still_over";
      sandbox.recordedAt = now();
      return "over";
    },
    takeBytes(gatewayId, count) {
      const { bytes } = sandboxOf(gatewayId);
      bytes.take(count);
      return bytes.left() > 0;
    },
    forget(gatewayId) {
      sandboxes.delete(gatewayId);
    },
  };
}

class Bucket {
  readonly #size: number;
  readonly #perMs: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  constructor(size: number, everyMs: number, now: () => number) {
    this.#size = size;
    this.#perMs = size / everyMs;
    this.#now = now;
    this.#left = size;
    this.#at = now();
  }

  left(): number {
    const at = this.#now();
    this.#left = Math.min(this.#size, this.#left + (at - this.#at) * this.#perMs);
    this.#at = at;
    return this.#left;
  }

  take(count: number): void {
    this.#left = Math.max(-this.#size, this.left() - count);
  }
}
