import { newId } from "../ids.ts";
import type { QueuedEvent, SessionEvent } from "../schemas/event.ts";
import type { Append, EventLog, LoggedEvent } from "../sessions/event-log.ts";
import type { Lease } from "../sessions/lease.ts";
import { type SessionState, transition } from "../sessions/transition.ts";
import { advance, type TurnView, viewOf } from "./turn-view.ts";

type Unstamped<Event> = Event extends SessionEvent ? Omit<Event, "id" | "processed_at"> & { id?: string } : never;
/** An event without what `stage` adds: its time and, unless it is known before, its id. */
export type StagedEvent = Unstamped<SessionEvent>;

/**
 * A session's log in the hands of the harness that holds its lease. Events are staged, then committed together: before
 * anything slow begins and before a tool runs. Until then nobody else can see them.
 */
export class Turn {
  readonly lease: Lease;
  readonly #log: Pick<EventLog, "append">;
  readonly #events: LoggedEvent[];
  #staged: { event: SessionEvent; private?: unknown }[] = [];
  #taken: string[] = [];
  #view: TurnView;
  #state: SessionState;
  #committedState: SessionState;
  #queuedCount: number;

  /** @param events the log from its beginning or its last compaction */
  constructor(lease: Lease, log: Pick<EventLog, "append">, events: LoggedEvent[]) {
    this.lease = lease;
    this.#log = log;
    this.#events = events;
    this.#view = viewOf(events);
    this.#state = lease.state;
    this.#committedState = lease.state;
    this.#queuedCount = lease.queuedCount;
  }

  get sessionId(): string {
    return this.lease.fence.sessionId;
  }

  /** Committed and staged events, from the last compaction on. */
  get events(): readonly LoggedEvent[] {
    return this.#events;
  }

  get view(): TurnView {
    return this.#view;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Events in the inbox at the last commit. */
  get queuedCount(): number {
    return this.#queuedCount;
  }

  /** Adds an event to the next commit. `hidden` is kept beside it in the log. */
  stage(event: StagedEvent, hidden?: unknown): SessionEvent {
    const stamped = { id: newId("sevt"), ...event, processed_at: new Date().toISOString() };
    this.#stage(stamped, hidden);
    return stamped;
  }

  /** Moves a queued event into the log: it is processed now, unless it was when it came. */
  take(queued: QueuedEvent): void {
    this.#stage({ ...queued, processed_at: queued.processed_at ?? new Date().toISOString() });
    this.#taken.push(queued.id);
  }

  /** Taken, though perhaps not committed yet. */
  hasTaken(queued: QueuedEvent): boolean {
    return this.#taken.includes(queued.id);
  }

  /**
   * Commits what is staged; does nothing when nothing is.
   * @returns false when `release.idle` was asked for while somebody sent something: all stays staged
   * @throws LeaseLostError
   */
  async commit(release?: Append["release"]): Promise<boolean> {
    if (this.#staged.length === 0 && !release) return true;
    const state = this.#state;
    const events = [...this.#staged];
    const taken = [...this.#taken];
    const appended = await this.#log.append({
      fence: this.lease.fence,
      events,
      state: state === this.#committedState && !release ? null : state,
      taken,
      ...(release ? { release } : {}),
    });
    if (!appended) return false;
    this.#queuedCount = appended.queuedCount;
    this.#committedState = state;
    this.#staged = this.#staged.slice(events.length);
    this.#taken = this.#taken.slice(taken.length);
    return true;
  }

  /**
   * Stages events that are dropped again when they can't be committed together with a release.
   * @param held events that may stay in the inbox
   */
  async commitIdle(stageIdleEvents: () => void, held = 0): Promise<boolean> {
    const before = { staged: [...this.#staged], view: this.#view, state: this.#state, length: this.#events.length };
    const taken = [...this.#taken];
    stageIdleEvents();
    if (await this.commit({ idle: true, held })) return true;
    this.#staged = before.staged;
    this.#taken = taken;
    this.#view = before.view;
    this.#state = before.state;
    this.#events.length = before.length;
    return false;
  }

  #stage(event: SessionEvent, hidden?: unknown): void {
    this.#state = transition(this.#state, event, hidden);
    this.#view = advance(this.#view, event);
    this.#staged.push(hidden === undefined ? { event } : { event, private: hidden });
    const seq = (this.#events.at(-1)?.seq ?? 0) + 1;
    this.#events.push({ seq, event, private: hidden ?? null });
  }
}
