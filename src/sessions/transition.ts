import type { ModelUsage, SessionEvent, SessionUsage } from "../schemas/event.ts";
import type { SessionStatus } from "../schemas/session.ts";
import { listCost, nanocentsOf, RequestCost } from "./list-cost.ts";

/** What a session used, without what depends on the time of asking. Stored as JSON. */
export type CountedUsage = Omit<SessionUsage, "active_seconds" | "list_cost"> & {
  /** List cost of the model requests so far, in nanocents (10⁻⁹ US cents), exactly. */
  token_nanocents: number;
  /** List price of the session's runtime, from its making on. */
  runtime_nanocents_per_hour: number;
};

/** What a session's log adds up to. Stored on the session's row by the statement that appends the events. */
export interface SessionState {
  status: SessionStatus;
  usage: CountedUsage;
  /** Time spent `running`, up to `runningSince`. */
  activeMs: number;
  /** RFC 3339; null unless running. */
  runningSince: string | null;
}

/** A bug in whoever appends: the log would contradict itself. */
export class InvalidTransitionError extends Error {
  override readonly name = "InvalidTransitionError";
}

/** The hosted API's, and that of sessions that were made before the price was kept. */
const RUNTIME_USD_PER_HOUR = 0.08;

export const INITIAL_STATE: SessionState = {
  status: "idle",
  usage: {
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    token_nanocents: 0,
    runtime_nanocents_per_hour: nanocentsOf(RUNTIME_USD_PER_HOUR),
  },
  activeMs: 0,
  runningSince: null,
};

const ALLOWED: Record<SessionStatus, readonly SessionStatus[]> = {
  // Idle follows idle when a person decided on one of several calls, or stopped a session that waited.
  idle: ["idle", "running", "terminated"],
  running: ["idle", "rescheduling", "terminated"],
  rescheduling: ["running", "idle", "terminated"],
  terminated: [],
};

/**
 * The state after `event`. Pure.
 * @param hidden what the log keeps beside the event: a model request's cost is there, so that a later change of prices
 *   does not change what was counted
 * @throws InvalidTransitionError when the event can't follow in this state
 */
export function transition(state: SessionState, event: SessionEvent, hidden?: unknown): SessionState {
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
      return { ...state, usage: addUsage(state.usage, event.model_usage, costOf(hidden)) };
    default:
      if (state.status === "terminated") throw refused(state, event);
      return state;
  }
}

/** The usage as the wire shows it at `now`. */
export function usageAt(
  { usage, ...clock }: Pick<SessionState, "usage" | "activeMs" | "runningSince">,
  now: Date,
): SessionUsage {
  const { token_nanocents: tokenNanocents, runtime_nanocents_per_hour: runtimeNanocentsPerHour, ...tokens } = usage;
  const activeMs = activeMsAt(clock, now.getTime());
  return {
    ...tokens,
    active_seconds: activeMs / 1000,
    list_cost: listCost({ tokenNanocents, runtimeNanocentsPerHour, activeMs }),
  };
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

const costOf = (hidden: unknown) => RequestCost.safeParse(hidden).data?.cost_nanocents ?? 0;

function addUsage(total: CountedUsage, more: ModelUsage, nanocents: number): CountedUsage {
  return {
    ...total,
    input_tokens: total.input_tokens + more.input_tokens,
    output_tokens: total.output_tokens + more.output_tokens,
    cache_read_input_tokens: total.cache_read_input_tokens + more.cache_read_input_tokens,
    cache_creation: {
      ...total.cache_creation,
      ephemeral_5m_input_tokens: total.cache_creation.ephemeral_5m_input_tokens + more.cache_creation_input_tokens,
    },
    token_nanocents: total.token_nanocents + nanocents,
  };
}
