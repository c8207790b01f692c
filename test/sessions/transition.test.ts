import { describe, expect, it } from "vitest";
import type { SessionEvent } from "../../src/schemas/event.ts";
import type { SessionStatus } from "../../src/schemas/session.ts";
import { INITIAL_STATE, InvalidTransitionError, transition, usageAt } from "../../src/sessions/transition.ts";
import { agentMessage, plain, requestEnd, stateOf, statusIdle } from "../support/events.ts";

const EVENTS: Record<SessionStatus, () => SessionEvent> = {
  running: () => plain("session.status_running"),
  idle: () => statusIdle(),
  rescheduling: () => plain("session.status_rescheduled"),
  terminated: () => plain("session.status_terminated"),
};
const STATUSES = Object.keys(EVENTS) as SessionStatus[];
const LEGAL = new Set([
  "idle running",
  "idle terminated",
  "running idle",
  "running rescheduling",
  "running terminated",
  "rescheduling running",
  "rescheduling idle",
  "rescheduling terminated",
]);

describe("a session's state", () => {
  it.each(STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const)))("%s → %s", (from, to) => {
    const move = () => transition(stateOf(from), EVENTS[to]()).status;
    if (LEGAL.has(`${from} ${to}`)) expect(move()).toBe(to);
    else expect(move).toThrow(InvalidTransitionError);
  });

  it("takes nothing more once terminated", () => {
    expect(() => transition(stateOf("terminated"), agentMessage("late"))).toThrow(InvalidTransitionError);
  });

  it("adds up usage and the time spent running", () => {
    const at = (event: SessionEvent, second: number) => ({
      ...event,
      processed_at: new Date(second * 1000).toISOString(),
    });
    const usage = { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 3, cache_read_input_tokens: 2 };
    const state = [
      at(plain("session.status_running"), 100),
      at(requestEnd("a", false, usage), 101),
      at(requestEnd("b", true, usage), 102),
      at(plain("session.status_rescheduled"), 110),
      at(plain("session.status_running"), 200),
    ].reduce(transition, INITIAL_STATE);
    expect(usageAt(state, new Date(205_000))).toEqual({
      input_tokens: 20,
      output_tokens: 10,
      cache_read_input_tokens: 4,
      cache_creation: { ephemeral_5m_input_tokens: 6, ephemeral_1h_input_tokens: 0 },
      active_seconds: 15,
    });
  });
});
