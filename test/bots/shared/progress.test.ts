import { describe, expect, it } from "vitest";
import { fold, foldPreview } from "../../../bots/shared/progress.ts";
import type { Outcome, Turn } from "../../../bots/shared/turn.ts";
import type { SessionEvent as SeenEvent } from "../../../bots/shared/session-events.ts";
import { statusMessage } from "../../../bots/shared/render.ts";
import type { RepositoryErrorDetail, SessionEvent } from "../../../src/schemas/event.ts";
import {
  asked,
  confirmed,
  event,
  failure,
  idleEvent,
  interruptEvent,
  requestEnd,
  said,
  tool,
  userMessageEvent,
  waitsFor,
} from "../../fakes/played-turns.ts";

/** As it comes over the wire and is typed by the SDK. */
const seen = (event: SessionEvent): SeenEvent => JSON.parse(JSON.stringify(event)) as SeenEvent;

function play(...events: SessionEvent[]): { turn: Turn | null; outcomes: Outcome[] } {
  let turn: Turn | null = null;
  const outcomes: Outcome[] = [];
  for (const next of events) {
    const progress = fold(turn, seen(next));
    turn = progress.turn;
    outcomes.push(...progress.outcomes);
  }
  return { turn, outcomes };
}

const running = () => event("session.status_running", {});
const answers = (outcomes: Outcome[]) => outcomes.flatMap((one) => (one.type === "answer" ? one.text : []));
const ends = (outcomes: Outcome[]) => outcomes.flatMap((one) => (one.type === "ended" ? one.how : []));

describe("a turn", () => {
  it("begins with its first event and keeps its id", () => {
    const first = userMessageEvent("go");
    expect(play(first, running(), said("x"), tool("bash", {})).turn?.id).toBe(first.id);
  });

  it("names its steps by what the agent says before it uses a tool", () => {
    const { turn } = play(
      running(),
      said("I look at the file. Then more."),
      tool("read", { file_path: "/mnt/session/uploads/data.csv" }),
      tool("bash", { command: "cd /workspace && python3 look.py" }),
      said("**Cleaning** the dates:"),
      tool("write", { file_path: "/workspace/clean.py", content: "…" }),
    );
    expect(turn?.steps).toEqual([
      { label: "I look at the file", state: "done", detail: "bash: python3 look.py", toolCount: 2 },
      { label: "Cleaning the dates", state: "running", detail: "write: clean.py", toolCount: 1 },
    ]);
  });

  it("that uses tools without a word has a step all the same", () => {
    expect(play(running(), tool("glob", { pattern: "*.csv" })).turn?.steps).toMatchObject([
      { detail: "glob: *.csv", state: "running" },
    ]);
  });

  it("answers with what was said after the last tool", () => {
    const { outcomes } = play(
      running(),
      said("Step."),
      tool("bash", {}),
      said("Answer."),
      said("And more."),
      idleEvent(),
    );
    expect(answers(outcomes)).toEqual(["Answer.", "And more."]);
  });

  it("ends with its end as the last outcome", () => {
    const idle = idleEvent();
    const { turn, outcomes } = play(running(), said("Answer."), idle);
    expect(outcomes.at(-1)).toMatchObject({ type: "ended", eventId: idle.id, how: "done" });
    expect(turn?.endedAt).toBeTypeOf("number");
    expect(turn?.steps.every((step) => step.state === "done")).toBe(true);
  });

  it.each([
    ["retries_exhausted", "failed"],
    ["refusal", "refused"],
    ["end_turn", "done"],
  ] as const)("that goes idle with %s is %s", (reason, how) => {
    expect(ends(play(running(), idleEvent(reason)).outcomes)).toEqual([how]);
  });

  it("that was interrupted is stopped, and its running step too", () => {
    const { turn, outcomes } = play(running(), tool("bash", {}), interruptEvent(), idleEvent());
    expect(ends(outcomes)).toEqual(["stopped"]);
    expect(turn?.steps.at(-1)?.state).toBe("stopped");
  });

  it("adds up its tokens and starts the next turn at none", () => {
    const { turn } = play(running(), requestEnd(100), requestEnd(20), idleEvent(), running(), requestEnd(3));
    expect(turn?.tokens).toBe(3);
  });

  it("notes a retry until something happens again", () => {
    expect(play(running(), failure("model_overloaded_error", "retrying")).turn?.note).toContain("overloaded");
    expect(play(running(), failure("model_overloaded_error", "retrying"), running()).turn?.note).toBeNull();
    expect(play(running(), failure("model_overloaded_error", "retrying")).outcomes).toEqual([]);
  });

  it("ignores events that it does not know, and interrupts of a session that is idle", () => {
    expect(play(event("agent.thinking", {}), interruptEvent()).turn).toBeNull();
  });
});

describe("a turn whose packages are installed first", () => {
  const building = (status: "started" | "running" | "finished" | "failed", step: string | null = null) =>
    event("deckhand.environment_build", { environment_id: "env_1", status, step });
  const waiting = [running(), said("Cleaning the dates."), tool("bash", { command: "clean" })];
  const shown = (turn: Turn | null) => {
    const message = turn && statusMessage(turn, null, false);
    return message?.type === "status"
      ? message.card.steps.map(({ label, state, detail }) => [label, state, detail])
      : [];
  };

  it("shows that as what is at work, then goes on with the step that waited for it", () => {
    const cleaning = ["Cleaning the dates", "running", "bash: clean"];
    expect(shown(play(...waiting, building("started"), building("running", "pip: pandas")).turn)).toEqual([
      cleaning,
      ["Installing packages", "running", "pip: pandas"],
    ]);
    const done = play(...waiting, building("started"), building("running", "pip: pandas"), building("finished"));
    expect(shown(done.turn)).toEqual([["Installing packages", "done", "pip: pandas"], cleaning]);
    const next = play(...waiting, building("started"), building("finished"), tool("bash", { command: "next" }));
    expect(next.turn?.steps.at(-1)).toMatchObject({ label: "Cleaning the dates", detail: "bash: next", toolCount: 2 });
  });

  it("and can't be, says so in place of a failure of the model", () => {
    const failed = [building("started"), building("running", "pip: pandsa"), building("failed")];
    const { turn, outcomes } = play(...waiting, ...failed, failure("unknown_error", "exhausted"), idleEvent());
    expect(outcomes).toMatchObject([{ type: "error", build: true }, { type: "ended" }]);
    expect(turn?.steps.map(({ state }) => state)).toEqual(["stopped", "done"]);
    expect(play(...waiting, failure("unknown_error", "exhausted")).outcomes).toMatchObject([{ build: false }]);
  });

  it("is not left installing when it is stopped meanwhile", () => {
    const { turn } = play(...waiting, building("started"), interruptEvent(), idleEvent());
    expect(shown(turn).map(([, state]) => state)).toEqual(["stopped", "stopped"]);
  });
});

describe("a turn without one of its repositories", () => {
  const missing = (type: RepositoryErrorDetail["type"], repository_url: string | null) =>
    event("session.error", { error: { type, message: "raw", repository_url, retry_status: { type: "retrying" } } });
  const url = "https://github.com/acme/widget.git";

  it.each([
    ["repository_authentication_error", url, /^The repository acme\/widget .*token.* Going on without it\.$/],
    ["repository_forbidden_error", url, /acme\/widget .*gives no access/],
    ["repository_not_found_error", url, /acme\/widget .*there is none/],
    ["repository_checkout_error", url, /acme\/widget .*lacks the branch or commit/],
    ["repository_clone_error", null, /^A repository could not be fetched\./],
  ] as const)("notes it and goes on: %s", (type, repositoryUrl, words) => {
    const { turn, outcomes } = play(running(), tool("bash", {}), missing(type, repositoryUrl));
    expect(turn?.note).toMatch(words);
    expect(outcomes).toEqual([]);
  });
});

describe("a turn that asks", () => {
  const at = (time: string, one: SessionEvent): SessionEvent => ({ ...one, processed_at: `2026-11-22T${time}.000Z` });
  const kinds = (outcomes: Outcome[]) =>
    outcomes.map((one) => ("ask" in one ? `${one.type} ${one.ask.toolName}` : one.type));

  it("waits, and knows what for", () => {
    const call = asked("bash", { command: "rm -r old" });
    const { turn, outcomes } = play(running(), said("I clean up."), tool("read", {}), call, waitsFor(call));
    expect(kinds(outcomes)).toEqual(["waiting"]);
    expect(turn?.asks).toEqual([{ toolUseId: call.id, toolName: "bash", input: { command: "rm -r old" } }]);
    expect(turn?.endedAt).toBeNull();
    expect(turn?.waitingSince).not.toBeNull();
  });

  it("goes on as the same turn, and does not count the time it waited", () => {
    const call = asked("bash", {});
    const first = at("10:00:00", userMessageEvent("go"));
    const { turn, outcomes } = play(
      first,
      at("10:00:10", call),
      at("10:00:10", waitsFor(call)),
      at("11:00:10", confirmed(call, "allow")),
      at("11:00:10", running()),
      at("11:00:15", idleEvent()),
    );
    expect(turn?.id).toBe(first.id);
    expect((turn?.endedAt ?? 0) - (turn?.startedAt ?? 0)).toBe(15_000);
    expect(kinds(outcomes)).toEqual(["waiting", "decided bash", "ended"]);
  });

  it("waits for the others when some were decided on", () => {
    const [one, two] = [asked("bash", {}), asked("write", {})];
    const { turn, outcomes } = play(running(), one, two, waitsFor(one, two), confirmed(two, "deny"), waitsFor(one));
    expect(kinds(outcomes)).toEqual(["waiting", "decided write", "waiting"]);
    expect(turn?.asks.map(({ toolName }) => toolName)).toEqual(["bash"]);
    expect(turn?.waitingSince).not.toBeNull();
  });

  it("and is stopped asks no more, and ends as stopped", () => {
    const call = asked("bash", {});
    const { turn, outcomes } = play(running(), call, waitsFor(call), interruptEvent(), idleEvent());
    expect(kinds(outcomes)).toEqual(["waiting", "moot bash", "ended"]);
    expect(ends(outcomes)).toEqual(["stopped"]);
    expect(turn?.asks).toEqual([]);
  });

  it("says so when it waits for what can't be given here", () => {
    const call = asked("bash", {});
    const other = event("agent.thinking", {});
    expect(play(running(), other, waitsFor(other)).outcomes).toMatchObject([{ type: "waiting", elsewhere: true }]);
    expect(play(running(), call, waitsFor(call)).outcomes).toMatchObject([{ type: "waiting", elsewhere: false }]);
    expect(play(running(), call, waitsFor(call, other)).outcomes).toMatchObject([{ type: "waiting", elsewhere: true }]);
  });

  it("shows which tool of another program it waits for, and asks nobody about it", () => {
    const call = event("agent.custom_tool_use", { name: "look_up_order", input: { id: 7 } });
    const { turn, outcomes } = play(running(), call, waitsFor(call));
    expect(turn?.steps).toMatchObject([{ detail: "look_up_order", toolCount: 1, state: "running" }]);
    expect(turn?.asks).toEqual([]);
    expect(outcomes).toMatchObject([{ type: "waiting", elsewhere: true }]);
  });
});

describe("what a session costs", () => {
  it("is what the server says, or unknown", () => {
    const usage = { input_tokens: 10, output_tokens: 5, cache_read_input_tokens: 100, active_seconds: 2 };
    const priced = { ...usage, list_cost: { amount: "42", currency: "USD" as const } };
    const of = (shown: object) =>
      ({ ...event("agent.thinking", {}), type: "session.usage", usage: shown }) as SessionEvent;
    expect(play(running()).turn?.usage).toBeNull();
    expect(play(running(), of(usage)).turn?.usage).toEqual({ costCents: null, tokens: 115 });
    expect(play(running(), of(priced)).turn?.usage).toEqual({ costCents: 42, tokens: 115 });
  });
});

describe("a preview", () => {
  it("is shown until its message or a tool call is there", () => {
    const { turn } = play(running());
    const started = foldPreview(turn, { type: "event_start", event: { type: "agent.message", id: "sevt_1" } });
    const delta = { type: "content_delta", index: 0, content: { type: "text", text: "Rev" } } as const;
    const written = foldPreview(foldPreview(started, { type: "event_delta", event_id: "sevt_1", delta }), {
      type: "event_delta",
      event_id: "sevt_1",
      delta: { ...delta, content: { type: "text", text: "enue" } },
    });
    expect(written?.draft?.text).toBe("Revenue");
    expect(fold(written, seen(said("Revenue"))).turn?.draft).toBeNull();
  });

  it("of another message changes nothing", () => {
    const { turn } = play(running());
    const delta = { type: "content_delta", index: 0, content: { type: "text", text: "x" } } as const;
    expect(foldPreview(turn, { type: "event_delta", event_id: "sevt_other", delta })).toBe(turn);
  });
});
