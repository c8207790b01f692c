import { setTimeout as delay } from "node:timers/promises";
import { newId } from "../ids.ts";
import type { EventPreview, SessionEvent } from "../schemas/event.ts";
import type { EventLog } from "./event-log.ts";
import type { Wakeup, Wakeups } from "./wakeups.ts";

export interface FollowOptions {
  /** Types of events to show while they come into being; `[]` for none. */
  previews: readonly ("agent.message" | "agent.thinking")[];
}

export interface Live {
  /**
   * Follows a session. Resolves once subscribed: every event committed after that is yielded, in order, once. Previews
   * come in between and may be lost. Ends after `session.deleted`, and when the signal aborts.
   */
  follow(
    sessionId: string,
    options: FollowOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<SessionEvent | EventPreview>>;
}

type FollowedLog = Pick<EventLog, "read" | "lastSeq">;

const READ_LIMIT = 200;
/** A wake-up can get lost with a connection; the log is read this often without one. */
const POLL_INTERVAL_MS = 5_000;
const PREVIEWS_HELD_MAX = 1_000;
const FINISHED_REMEMBERED = 100;

export function createLive(log: FollowedLog, wakeups: Pick<Wakeups, "subscribe">): Live {
  return {
    async follow(sessionId, options, signal) {
      const inbox = new FollowInbox(options);
      const unsubscribe = await wakeups.subscribe(sessionId, (wakeup) => inbox.take(wakeup));
      try {
        const seq = await log.lastSeq(sessionId);
        return tail(log, sessionId, seq, inbox, signal, unsubscribe);
      } catch (error) {
        unsubscribe();
        throw error;
      }
    },
  };
}

async function* tail(
  log: FollowedLog,
  sessionId: string,
  from: number | null,
  inbox: FollowInbox,
  signal: AbortSignal,
  unsubscribe: () => void,
): AsyncGenerator<SessionEvent | EventPreview> {
  let seen = from ?? 0;
  try {
    while (!signal.aborted) {
      const woken = inbox.clear();
      yield* woken.previews;
      const batch = await log.read(sessionId, seen, READ_LIMIT);
      for (const { seq, event } of batch) {
        seen = seq;
        inbox.finish(event);
        yield event;
      }
      if (batch.length === READ_LIMIT) continue;
      if (woken.deleted || (batch.length === 0 && woken.idle && (await log.lastSeq(sessionId)) === null)) {
        yield { type: "session.deleted", id: newId("sevt"), processed_at: new Date().toISOString() };
        return;
      }
      await inbox.wait(signal);
    }
  } finally {
    unsubscribe();
  }
}

/** What came in since the log was last read. */
class FollowInbox {
  readonly #shows: ReadonlySet<string>;
  #previews: EventPreview[] = [];
  /** The frame that comes next, by event. */
  readonly #started = new Map<string, number>();
  readonly #finished = new Set<string>();
  #woken = true;
  #deleted = false;
  #wake: () => void = () => undefined;

  constructor({ previews }: FollowOptions) {
    this.#shows = new Set(previews);
  }

  take(wakeup: Wakeup): void {
    if (wakeup.preview && !this.#admit(wakeup.preview, wakeup.frame ?? 0)) return;
    this.#deleted ||= wakeup.deleted === true;
    this.#woken = true;
    this.#wake();
  }

  clear(): { previews: EventPreview[]; deleted: boolean; idle: boolean } {
    const taken = { previews: this.#previews, deleted: this.#deleted, idle: !this.#woken };
    this.#previews = [];
    this.#woken = false;
    return taken;
  }

  /** Until something comes in, or it is time to look without a reason. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#woken) return;
    const done = new AbortController();
    await Promise.race([
      new Promise<void>((resolve) => (this.#wake = resolve)),
      delay(POLL_INTERVAL_MS, undefined, { signal: AbortSignal.any([signal, done.signal]) }).catch(() => undefined),
    ]);
    done.abort();
  }

  /** The event itself came out of the log: whatever preview of it is still under way is late. */
  finish({ id, type }: SessionEvent): void {
    if (!this.#shows.has(type)) return;
    this.#started.delete(id);
    this.#previews = this.#previews.filter((preview) => idOf(preview) !== id);
    this.#finished.add(id);
    if (this.#finished.size > FINISHED_REMEMBERED) this.#finished.delete([...this.#finished][0] ?? "");
  }

  /**
   * What is shown of a message is always a prefix of it: nothing before its start, nothing after a frame that was lost or
   * left out, nothing twice, nothing after the message itself.
   */
  #admit(preview: EventPreview, frame: number): boolean {
    const id = idOf(preview);
    if (preview.type === "event_start" && frame === 0) {
      if (!this.#shows.has(preview.event.type) || this.#finished.has(id) || this.#started.has(id)) return false;
    } else if (this.#started.get(id) !== frame) {
      if (frame > (this.#started.get(id) ?? frame)) this.#started.delete(id);
      return false;
    }
    if (this.#previews.length >= PREVIEWS_HELD_MAX) {
      this.#started.delete(id);
      return false;
    }
    this.#started.set(id, frame + 1);
    this.#previews.push(preview);
    return true;
  }
}

const idOf = (preview: EventPreview) => (preview.type === "event_start" ? preview.event.id : preview.event_id);
