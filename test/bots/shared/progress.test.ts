import { describe, expect, it } from "vitest";
import { fold, foldPreview, type Outcome, type Turn } from "../../../bots/shared/progress.ts";
import type { SessionEvent as SeenEvent } from "../../../bots/shared/session-events.ts";
import type { SessionEvent } from "../../../src/schemas/event.ts";
import {
  event,
  failure,
  idleEvent,
  interruptEvent,
  requestEnd,
  said,
  tool,
  userMessageEvent,
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
