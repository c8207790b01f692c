import type { ModelUsage, SessionEvent, SessionUsage } from "../schemas/event.ts";
import type { SessionStatus } from "../schemas/session.ts";

/** What a session's log adds up to. Stored on the session's row by the statement that appends the events. */
export interface SessionState {
  status: SessionStatus;
  /** Without `active_seconds`, which is `activeMs` at the time of asking. */
  usage: Omit<SessionUsage, "active_seconds">;
  /** Time spent `running`, up to `runningSince`. */
  activeMs: number;
  /** RFC 3339; null unless running. */
  runningSince: string | null;
}

/** A bug in whoever appends: the log would contradict itself. */
export class InvalidTransitionError extends Error {
  override readonly name = "InvalidTransitionError";
}

export const INITIAL_STATE: SessionState = {
  status: "idle",
  usage: {
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
  },
  activeMs: 0,
  runningSince: null,
};

const ALLOWED: Record<SessionStatus, readonly SessionStatus[]> = {
  idle: ["running", "terminated"],
  running: ["idle", "rescheduling", "terminated"],
  rescheduling: ["running", "idle", "terminated"],
  terminated: [],
};

/**
 * The state after `event`. Pure.
 * @throws InvalidTransitionError when the event can't follow in this state
 */
export function transition(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "session.status_running":
      return { ...moved(state, "running", event), runningSince: event.processed_at };
    case "session.status_idle":
      return moved(state, "idle", event);
    case "session.status_rescheduled":
      return moved(state, "rescheduling", event);
    case "session.status_terminated":
      return moved(state, "terminated", event);
    case "span.model_request_end":
      return { ...state, usage: addUsage(state.usage, event.model_usage) };
    default:
      if (state.status === "terminated") throw refused(state, event);
      return state;
  }
}

/** The usage as the wire shows it at `now`. */
export function usageAt(state: SessionState, now: Date): SessionUsage {
  return { ...state.usage, active_seconds: activeMsAt(state, now.getTime()) / 1000 };
}

export function activeMsAt(state: Pick<SessionState, "activeMs" | "runningSince">, nowMs: number): number {
  if (state.runningSince === null) return state.activeMs;
  return state.activeMs + Math.max(0, nowMs - Date.parse(state.runningSince));
}

function moved(state: SessionState, status: SessionStatus, event: SessionEvent): SessionState {
  if (!ALLOWED[state.status].includes(status)) throw refused(state, event);
  return { ...state, status, activeMs: activeMsAt(state, Date.parse(event.processed_at)), runningSince: null };
}

function refused(state: SessionState, event: SessionEvent) {
  return new InvalidTransitionError(`\`${event.type}\` can't follow while the session is ${state.status}.`);
}

function addUsage(total: SessionState["usage"], more: ModelUsage): SessionState["usage"] {
  return {
    input_tokens: total.input_tokens + more.input_tokens,
    output_tokens: total.output_tokens + more.output_tokens,
    cache_read_input_tokens: total.cache_read_input_tokens + more.cache_read_input_tokens,
    cache_creation: {
      ...total.cache_creation,
      ephemeral_5m_input_tokens: total.cache_creation.ephemeral_5m_input_tokens + more.cache_creation_input_tokens,
    },
  };
}
