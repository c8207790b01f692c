/** The fake's time: the machine's, plus what a test has added. */
export interface Clock {
  /** Ms since the epoch. */
  now(): number;
  /** Time passes for windows, lifetimes and expiries, at once. Deliveries that wait for a retry keep the machine's time. */
  advance(ms: number): void;
  /** A message timestamp, as Slack writes them, later than all before. */
  nextTs(): string;
}

const MICROSECONDS = 1_000_000;

export function createClock(): Clock {
  let offsetMs = 0;
  let lastMicros = 0;
  const now = () => Date.now() + offsetMs;
  return {
    now,
    advance(ms) {
      offsetMs += ms;
    },
    nextTs() {
      lastMicros = Math.max(lastMicros + 1, now() * 1000);
      const fraction = String(lastMicros % MICROSECONDS).padStart(6, "0");
      return `${Math.floor(lastMicros / MICROSECONDS)}.${fraction}`;
    },
  };
}
