import type { EventPreview } from "../schemas/event.ts";

/** Something happened in a session. What happened is in the log; a preview is the one thing that never gets there. */
export interface Wakeup {
  sessionId: string;
  /** A client put something into the inbox. */
  inbox?: true;
  /** A frame for streams that asked for `event_deltas`: shown or lost, never stored. */
  preview?: EventPreview;
  /** Place of the preview among those of its event, from 0: whoever misses one shows no more of that event. */
  frame?: number;
  /** The session was deleted, so its log can't tell. */
  deleted?: true;
}

/**
 * Tells every process that something happened in a session.
 *
 * Contract, checked by `test/contracts/wakeups.ts`:
 * - a wake-up published after `subscribe` resolved reaches the listener, in any process, in the order of one publisher;
 * - it may come late, twice, or (when a connection breaks) not at all. After a break every listener is woken once, so
 *   whoever reads the log on each wake-up misses nothing;
 * - `publish` never throws and never waits; wake-ups without a preview may be merged per session;
 * - listeners are called synchronously and must not throw.
 */
export interface Wakeups {
  publish(wakeup: Wakeup): void;
  /** Returns the function that ends the subscription. */
  subscribe(sessionId: string, listener: (wakeup: Wakeup) => void): Promise<() => void>;
  /** Idempotent. Ends all subscriptions without waking them. */
  close(): Promise<void>;
}
