import { describe, expect, it } from "vitest";
import { Turn } from "../../src/harness/turn.ts";
import type { QueuedEvent } from "../../src/schemas/event.ts";
import type { Append, Appended } from "../../src/sessions/event-log.ts";
import { InvalidTransitionError } from "../../src/sessions/transition.ts";
import { stateOf } from "../support/events.ts";
import { testAgent } from "../support/test-agent.ts";

const MESSAGE: QueuedEvent = {
  id: "sevt_1",
  type: "user.message",
  processed_at: null,
  content: [{ type: "text", text: "hi" }],
};

function startTurn(
  answer: (request: Append) => Promise<Appended | null> = async () => ({ firstSeq: 1, queuedCount: 0 }),
) {
  const appended: Append[] = [];
  const lease = {
    fence: { sessionId: "sesn_1", epoch: 3 },
    workspaceId: "wrkspc_1",
    threadId: "sthr_1",
    agent: testAgent(),
    state: stateOf("idle"),
    queuedCount: 1,
    wakeAt: null,
  };
  const append = (request: Append) => {
    appended.push(request);
    return answer(request);
  };
  return { turn: new Turn(lease, { append }, []), appended };
}

const typesOf = (request: Append | undefined) => request?.events.map(({ event }) => event.type);

describe("a turn's events", () => {
  it("are staged for nobody to see, then committed together with what they take from the inbox", async () => {
    const { turn, appended } = startTurn();
    turn.take(MESSAGE);
    turn.stage({ type: "session.status_running" });
    expect(appended).toEqual([]);
    expect(turn.view.owesAnswer).toBe(true);
    await turn.commit();
    expect(appended).toHaveLength(1);
    expect(typesOf(appended[0])).toEqual(["user.message", "session.status_running"]);
    expect(appended[0]).toMatchObject({ taken: ["sevt_1"], state: { status: "running" }, fence: { epoch: 3 } });
    await turn.commit();
    expect(appended).toHaveLength(1);
  });

  it("that are staged while a commit is under way wait for the next one", async () => {
    const under = Promise.withResolvers<Appended>();
    const { turn, appended } = startTurn(() => under.promise);
    turn.stage({ type: "session.status_running" });
    const committing = turn.commit();
    turn.stage({ type: "span.model_request_start" });
    turn.take(MESSAGE);
    under.resolve({ firstSeq: 1, queuedCount: 0 });
    await committing;
    expect(turn.hasTaken(MESSAGE)).toBe(true);
    await turn.commit();
    expect(appended.map(typesOf)).toEqual([["session.status_running"], ["span.model_request_start", "user.message"]]);
    expect(appended.map(({ taken }) => taken)).toEqual([[], ["sevt_1"]]);
  });

  it("say the state only when they change it", async () => {
    const { turn, appended } = startTurn();
    turn.stage({ type: "session.status_running" });
    await turn.commit();
    turn.stage({ type: "agent.thinking" });
    await turn.commit();
    expect(appended.map(({ state }) => state?.status)).toEqual(["running", undefined]);
  });

  it("that end it are dropped when somebody sent something, and the others stay", async () => {
    let refused = true;
    const { turn, appended } = startTurn(async () => (refused ? null : { firstSeq: 1, queuedCount: 0 }));
    turn.stage({ type: "session.status_running" });
    const before = turn.events.length;
    const idle = () =>
      turn.commitIdle(
        () => void turn.stage({ type: "session.status_idle", stop_reason: { type: "end_turn" }, stop_details: null }),
      );
    expect(await idle()).toBe(false);
    expect(turn.state.status).toBe("running");
    expect(turn.events).toHaveLength(before);
    refused = false;
    expect(await idle()).toBe(true);
    expect(typesOf(appended.at(-1))).toEqual(["session.status_running", "session.status_idle"]);
    expect(appended.at(-1)?.release).toEqual({ idle: true, held: 0 });
  });

  it("stay staged when the commit fails", async () => {
    let failing = true;
    const { turn, appended } = startTurn(async () => {
      if (failing) throw new Error("database away");
      return { firstSeq: 1, queuedCount: 0 };
    });
    turn.stage({ type: "session.status_running" });
    await expect(turn.commit()).rejects.toThrow("database away");
    failing = false;
    await turn.commit();
    expect(appended[1]?.events).toEqual(appended[0]?.events);
  });

  it("can't contradict the session's state", () => {
    const { turn } = startTurn();
    expect(() => turn.stage({ type: "session.status_rescheduled" })).toThrow(InvalidTransitionError);
    expect(turn.events).toEqual([]);
  });
});
