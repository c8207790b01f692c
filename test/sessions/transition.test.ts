import { describe, expect, it } from "vitest";
import type { SessionEvent } from "../../src/schemas/event.ts";
import type { SessionStatus } from "../../src/schemas/session.ts";
import {
  INITIAL_STATE,
  InvalidTransitionError,
  type SessionState,
  transition,
  usageAt,
} from "../../src/sessions/transition.ts";
import { agentMessage, plain, requestEnd, stateOf, statusIdle } from "../support/events.ts";

const EVENTS: Record<SessionStatus, () => SessionEvent> = {
  running: () => plain("session.status_running"),
  idle: () => statusIdle(),
  rescheduling: () => plain("session.status_rescheduled"),
  terminated: () => plain("session.status_terminated"),
};
const STATUSES = Object.keys(EVENTS) as SessionStatus[];
const LEGAL = new Set([
  "idle idle",
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
    ].reduce((sum, event) => transition(sum, event), INITIAL_STATE);
    expect(usageAt(state, new Date(205_000))).toMatchObject({
      input_tokens: 20,
      output_tokens: 10,
      cache_read_input_tokens: 4,
      cache_creation: { ephemeral_5m_input_tokens: 6, ephemeral_1h_input_tokens: 0 },
      active_seconds: 15,
    });
  });

  it("adds up what requests cost, exactly, and rounds only what it shows", () => {
    const cost = (nanocents: number) => [requestEnd("a"), { content: [], cost_nanocents: nanocents }] as const;
    const state = [cost(400_000_000), cost(400_000_000), cost(699_999_999)].reduce(
      (sum, [event, hidden]) => transition(sum, event, hidden),
      INITIAL_STATE,
    );
    expect(usageAt(state, new Date()).list_cost).toEqual({ amount: "1", currency: "USD" });
    const onMore = transition(state, requestEnd("b"), { content: [], cost_nanocents: 1 });
    expect(usageAt(onMore, new Date()).list_cost).toEqual({ amount: "2", currency: "USD" });
  });

  it("counts no cost for a request that says none", () => {
    for (const hidden of [undefined, null, { content: [] }, 3]) {
      const state = transition(INITIAL_STATE, requestEnd("a", false, { input_tokens: 1_000_000 }), hidden);
      expect(usageAt(state, new Date()).list_cost).toEqual({ amount: "0", currency: "USD" });
    }
  });

  it("counts the time spent running at the session's own price", () => {
    const hourOf = (usage: Partial<SessionState["usage"]>) =>
      usageAt(
        { ...INITIAL_STATE, usage: { ...INITIAL_STATE.usage, ...usage }, activeMs: 3_000_000, runningSince: at(0) },
        new Date(600_000),
      ).list_cost?.amount;
    const at = (ms: number) => new Date(ms).toISOString();
    expect(hourOf({})).toBe("8");
    expect(hourOf({ runtime_nanocents_per_hour: 0 })).toBe("0");
    expect(hourOf({ runtime_nanocents_per_hour: 50 * 1e9, token_nanocents: 1e9 })).toBe("51");
  });
});
