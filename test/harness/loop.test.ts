import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LoopLimits, nextStep, startedCalls, type Step } from "../../src/harness/loop.ts";
import { advance, EMPTY_VIEW, viewOf } from "../../src/harness/turn-view.ts";
import type { SessionEvent } from "../../src/schemas/event.ts";
import {
  agentMessage,
  askedUse,
  confirmation,
  customResult,
  customUse,
  interrupt,
  logged,
  plain,
  requestEnd,
  sessionError,
  statusIdle,
  toolResult,
  toolUse,
  userMessage,
} from "../support/events.ts";

const LIMITS: LoopLimits = { toolRoundsMax: 3, compactionsMax: 2, contextTokensMax: 1_000 };
const running = plain("session.status_running");
const start = plain("span.model_request_start");
const call = toolUse();
const other = toolUse();
const answered = requestEnd(start.id, false, { input_tokens: 10, output_tokens: 5 });
const asked = [userMessage("hi"), running, start];
const stepAfter = (...events: SessionEvent[]) => nextStep(viewOf(logged(events)), LIMITS);

describe("the next step", () => {
  it.each<[string, SessionEvent[], Step["type"]]>([
    ["of an empty log", [], "go_idle"],
    ["after a message", [userMessage("hi")], "call_model"],
    ["after an opened request", asked, "close_request"],
    ["after a failed request", [...asked, requestEnd(start.id, true)], "call_model"],
    ["after an answer", [...asked, agentMessage("x"), answered], "go_idle"],
    ["after an answer with a call", [...asked, answered, call], "run_tools"],
    ["after one of two results", [...asked, answered, call, other, toolResult(call.id)], "run_tools"],
    ["after all results", [...asked, answered, call, toolResult(call.id)], "call_model"],
    ["after an error result", [...asked, answered, call, toolResult(call.id, "no", true)], "call_model"],
    ["after a message behind an answer", [...asked, agentMessage("x"), answered, userMessage("more")], "call_model"],
    ["after an interrupt", [...asked, requestEnd(start.id), interrupt()], "go_idle"],
    ["after a message behind an interrupt", [interrupt(), userMessage("hi")], "call_model"],
    ["after idle", [...asked, agentMessage("x"), answered, statusIdle()], "go_idle"],
    ["after giving up", [userMessage("hi"), sessionError("exhausted"), userMessage("more"), statusIdle()], "go_idle"],
    ["after a pause", [...asked, requestEnd(start.id, true), sessionError("retrying")], "call_model"],
    [
      "with a full context",
      [...asked, requestEnd(start.id, false, { input_tokens: 1_001 }), userMessage("x")],
      "compact",
    ],
    [
      "with a full context and nothing to do",
      [...asked, requestEnd(start.id, false, { input_tokens: 1_001 })],
      "go_idle",
    ],
    ["after a compaction", [userMessage("x"), plain("agent.thread_context_compacted")], "call_model"],
    [
      "with a result that fills the context",
      [...asked, answered, call, toolResult(call.id, "x".repeat(4_000))],
      "compact",
    ],
    ["with a message that fills the context", [userMessage("x".repeat(4_000))], "compact"],
  ])("%s", (_name, events, step) => {
    expect(stepAfter(...events).type).toBe(step);
  });

  it("runs only calls that have no result, in their order", () => {
    const step = stepAfter(...asked, answered, call, other, toolResult(call.id));
    expect(step).toEqual({ type: "run_tools", calls: [other] });
  });

  it("ends a turn that calls tools for ever", () => {
    const round = () => {
      const use = toolUse();
      return [plain("span.model_request_start"), answered, use, toolResult(use.id)];
    };
    expect(stepAfter(...asked, ...round(), ...round())).toMatchObject({ type: "call_model" });
    expect(stepAfter(...asked, ...round(), ...round(), ...round())).toEqual({
      type: "limit_reached",
      limit: "tool_use",
    });
    expect(stepAfter(...asked, ...round(), ...round(), ...round(), statusIdle(), userMessage("go on"))).toMatchObject({
      type: "call_model",
    });
  });

  it("ends a turn in which compacting does not help", () => {
    const compacted = [plain("agent.thread_context_compacted"), userMessage("x".repeat(4_000))];
    expect(stepAfter(...asked, answered, ...compacted).type).toBe("compact");
    expect(stepAfter(...asked, answered, ...compacted, ...compacted)).toEqual({
      type: "limit_reached",
      limit: "compaction",
    });
  });

  it("keeps the size of the context through an interrupted request", () => {
    const full = requestEnd(start.id, false, { input_tokens: 2_000 });
    expect(
      stepAfter(...asked, full, statusIdle(), start, requestEnd(start.id), interrupt(), userMessage("x")).type,
    ).toBe("compact");
  });

  it("counts failures to be retried since the last good request", () => {
    const failure = [start, requestEnd(start.id, true), sessionError("retrying")];
    expect(viewOf(logged([...asked, ...failure, ...failure])).failedAttempts).toBe(2);
    expect(viewOf(logged([...failure, start, answered])).failedAttempts).toBe(0);
    expect(viewOf(logged([...failure, statusIdle()])).failedAttempts).toBe(0);
  });
});

describe("calls that people decide on", () => {
  const first = askedUse();
  const second = askedUse();
  const waiting = (...ids: string[]) => statusIdle({ type: "requires_action", event_ids: ids });
  const wait = (...callIds: string[]): Step => ({ type: "wait_for_clients", callIds });
  const run = (...calls: (typeof call)[]): Step => ({ type: "run_tools", calls });
  const allow = confirmation(first.id);
  const deny = confirmation(second.id, "deny");
  const idled = [first, second, waiting(first.id, second.id)];

  it.each<[string, SessionEvent[], Step]>([
    ["are waited for", [first, second], wait(first.id, second.id)],
    ["are waited for only after the others of their answer ran", [first, call], run(call)],
    ["are waited for once the others have results", [first, call, toolResult(call.id)], wait(first.id)],
    ["are waited for still after idle", idled, wait(first.id, second.id)],
    ["are waited for until all are decided", [...idled, allow], wait(second.id)],
    ["may be decided before anybody was told", [first, allow], run(first)],
    ["run together when all are allowed", [...idled, allow, confirmation(second.id)], run(first, second)],
    ["are rejected before others run", [...idled, allow, deny], { type: "reject_calls", confirmations: [deny] }],
    ["run when those that were refused have results", [...idled, allow, deny, toolResult(second.id)], run(first)],
    ["go by the first word", [first, allow, confirmation(first.id, "deny")], run(first)],
    ["lead back to the model when all were refused", [second, deny, toolResult(second.id)], { type: "call_model" }],
    ["end with an interrupt", [first, toolResult(first.id), interrupt()], { type: "go_idle" }],
    ["are not those of another session", [first, confirmation("sevt_other")], wait(first.id)],
    ["are not those that nobody was asked about", [call, confirmation(call.id, "deny")], run(call)],
  ])("%s", (_name, events, step) => {
    expect(stepAfter(...asked, answered, ...events)).toEqual(step);
  });

  it("do not end the turn: it goes on counting", () => {
    const view = viewOf(logged([...asked, answered, ...idled]));
    expect(view).toMatchObject({ toolRounds: 1, announcedCalls: [first.id, second.id] });
    expect(advance(view, running).announcedCalls).toEqual([]);
    expect(advance(view, statusIdle()).announcedCalls).toEqual([]);
  });

  it.each<[string, SessionEvent[], string[]]>([
    ["none without calls", [], []],
    ["the others of their answer", [first, call], [call.id]],
    ["none while one waits", [...idled, allow], []],
    ["none before the refusals are written", [...idled, allow, deny], []],
    ["those that were allowed", [...idled, allow, deny, running, toolResult(second.id)], [first.id]],
  ])("may have been started by a harness that died: %s", (_name, events, ids) => {
    expect(startedCalls(viewOf(logged([...asked, answered, ...events]))).map(({ id }) => id)).toEqual(ids);
  });
});

describe("calls that clients run", () => {
  const custom = customUse();
  const another = customUse();
  const ask = askedUse();
  const wait = (...callIds: string[]): Step => ({ type: "wait_for_clients", callIds });
  const idled = (...ids: string[]) => statusIdle({ type: "requires_action", event_ids: ids });
  const run = (...calls: (typeof call)[]): Step => ({ type: "run_tools", calls });

  it.each<[string, SessionEvent[], Step]>([
    ["are waited for", [custom], wait(custom.id)],
    ["are waited for after those of the harness ran", [custom, call], run(call)],
    ["are waited for with those that people decide on, in their order", [ask, custom], wait(ask.id, custom.id)],
    ["are waited for still after idle", [custom, another, idled(custom.id)], wait(custom.id, another.id)],
    ["are waited for until all have results", [custom, another, customResult(another.id)], wait(custom.id)],
    ["may be answered before anybody was told", [custom, customResult(custom.id)], { type: "call_model" }],
    ["may be answered before the others ran", [custom, call, customResult(custom.id)], run(call)],
    [
      "lead back to the model with an error too",
      [custom, customResult(custom.id, { is_error: true })],
      { type: "call_model" },
    ],
    ["hold back what was allowed", [ask, custom, confirmation(ask.id)], wait(custom.id)],
    [
      "let what was allowed run once they have results",
      [ask, custom, confirmation(ask.id), customResult(custom.id)],
      run(ask),
    ],
    ["leave what is not decided", [ask, custom, customResult(custom.id)], wait(ask.id)],
    ["are not confirmed", [custom, confirmation(custom.id)], wait(custom.id)],
    ["are not answered by the results of others", [custom, customResult("sevt_other")], wait(custom.id)],
    ["end with an interrupt", [custom, customResult(custom.id), interrupt()], { type: "go_idle" }],
  ])("%s", (_name, events, step) => {
    expect(stepAfter(...asked, answered, ...events)).toEqual(step);
  });

  it("were never started by a harness that died", () => {
    const started = (...events: SessionEvent[]) => startedCalls(viewOf(logged([...asked, answered, ...events])));
    expect(started(custom)).toEqual([]);
    expect(started(custom, call)).toEqual([call]);
  });

  it("fill the context with their results", () => {
    const text = { type: "text" as const, text: "x".repeat(4_000) };
    const found = {
      type: "search_result" as const,
      title: "t",
      source: "s",
      content: [text],
      citations: { enabled: false },
    };
    for (const block of [text, found]) {
      const result = customResult(custom.id, { content: [block] });
      expect(stepAfter(...asked, answered, custom, result).type).toBe("compact");
    }
  });
});

/** What a turn's model and user do: tool calls per request, failures, messages in between. */
const Turns = fc.array(
  fc.record({
    message: fc.boolean(),
    fails: fc.boolean(),
    calls: fc.integer({ min: 0, max: 3 }),
  }),
  { minLength: 1, maxLength: 12 },
);
type Turn = { message: boolean; fails: boolean; calls: number };

/** A harness in small: does what `nextStep` says, and returns the log as events plus the calls it ran. */
function play(
  log: SessionEvent[],
  turns: readonly Turn[],
  ran: string[],
  stopAt = Number.POSITIVE_INFINITY,
): SessionEvent[] {
  let view = viewOf(logged(log));
  const add = (...events: SessionEvent[]) => {
    for (const event of events) {
      if (log.length >= stopAt) return;
      log.push(event);
      view = advance(view, event);
    }
  };
  const limits = { ...LIMITS, toolRoundsMax: 1_000 };
  const script = [...turns];
  for (let steps = 0; log.length < stopAt; steps++) {
    if (steps > 1_000) throw new Error("no progress");
    const step = nextStep(view, limits);
    const next = script.shift();
    if (next?.message && view.unresolvedCalls.length === 0) add(userMessage("more"));
    switch (step.type) {
      case "go_idle":
        if (!next) return log;
        add(statusIdle());
        break;
      case "close_request":
        add(requestEnd(step.startId, true));
        break;
      case "run_tools":
        for (const use of step.calls) {
          ran.push(use.id);
          add(toolResult(use.id));
        }
        break;
      case "reject_calls":
        for (const { tool_use_id } of step.confirmations) add(toolResult(tool_use_id, "no", true));
        break;
      case "wait_for_clients":
        add(statusIdle({ type: "requires_action", event_ids: step.callIds }));
        for (const id of step.callIds) {
          const custom = log.some((event) => event.type === "agent.custom_tool_use" && event.id === id);
          add(custom ? customResult(id) : confirmation(id, next?.fails ? "deny" : "allow"));
        }
        break;
      case "call_model": {
        const opened = plain("span.model_request_start");
        const uses = next?.fails
          ? []
          : Array.from(
              { length: next?.calls ?? 0 },
              (_, index) => [toolUse, askedUse, customUse][index % 3]?.() ?? toolUse(),
            );
        add(opened, requestEnd(opened.id, next?.fails ?? false, { output_tokens: 1 }), ...uses);
        break;
      }
      case "compact":
        add(plain("agent.thread_context_compacted"));
        break;
      case "limit_reached":
        add(sessionError("exhausted"), statusIdle());
    }
  }
  return log;
}

describe("a log that breaks off anywhere", () => {
  it("is gone on with to the end: no call without a result, none with two, none run that had one", () => {
    fc.assert(
      fc.property(Turns, fc.integer({ min: 1, max: 60 }), (turns, crashAt) => {
        const log = play([userMessage("hi")], turns, [], crashAt);
        const resultOf = (event: SessionEvent) => {
          if (event.type === "user.custom_tool_result") return [event.custom_tool_use_id];
          return event.type === "agent.tool_result" ? [event.tool_use_id] : [];
        };
        const resolved = new Set(log.flatMap(resultOf));
        const ran: string[] = [];
        const whole = play([...log], [], ran);
        const calls = whole.flatMap(({ type, id }) =>
          type === "agent.tool_use" || type === "agent.custom_tool_use" ? [id] : [],
        );
        const results = whole.flatMap(resultOf);
        expect(results.toSorted()).toEqual(calls.toSorted());
        expect(ran.filter((id) => resolved.has(id))).toEqual([]);
        expect(viewOf(logged(whole))).toMatchObject({ owesAnswer: false, openRequestId: null, unresolvedCalls: [] });
      }),
    );
  });

  it("leads to the same step whoever asks, however the log was read", () => {
    fc.assert(
      fc.property(Turns, fc.nat(40), (turns, at) => {
        const log = play([userMessage("hi")], turns, []);
        const head = log.slice(0, at);
        const piecewise = log.slice(at).reduce(advance, head.reduce(advance, EMPTY_VIEW));
        expect(piecewise).toEqual(viewOf(logged(log)));
      }),
    );
  });
});
