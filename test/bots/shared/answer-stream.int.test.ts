import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RetryableError } from "../../../src/errors.ts";
import type { SessionEvent } from "../../../src/schemas/event.ts";
import { event, failure, idleEvent, interruptEvent, said, tool } from "../../fakes/played-turns.ts";
import {
  type DeliverOptions,
  type DeliveryRig,
  dyingStore,
  Killed,
  startDeliveryRig,
} from "../../support/delivery-rig.ts";

const limits = { drafts: "stream" } as const;
const CUT_SHORT = "An answer was begun here and not finished.";

let rig: DeliveryRig;
beforeAll(async () => {
  rig = await startDeliveryRig();
});
afterAll(() => rig.close());

/** A turn that runs while a deliverer follows it. */
async function runningTurn(options: DeliverOptions = {}) {
  const thread = await rig.openThread();
  await rig.begin(thread.sessionId);
  const { service, sessionId } = thread;
  const follow = (more: DeliverOptions = {}) => {
    const done = thread.deliver({ limits, ...options, ...more });
    // Looked at by whoever awaits it; a test may do something else first.
    done.catch(() => undefined);
    return done;
  };
  const done = follow();
  await service.until(() => service.statuses().length === 1);
  const streaming = () => service.posts.filter((post) => post.streaming).map(({ message }) => message);
  /** The model writes, and people read it. */
  const writes = async (message: SessionEvent, text: string) => {
    rig.turns.preview(sessionId, message.id, text);
    await service.until(() => streaming().some((one) => "markdown" in one && one.markdown === text));
  };
  const commit = (...events: SessionEvent[]) => rig.turns.commit(sessionId, ...events);
  const takeOver = async (more: DeliverOptions = {}) => {
    await rig.expireLease(thread.key);
    return thread.deliver({ limits, ...more });
  };
  return { ...thread, done, follow, writes, commit, streaming, takeOver };
}

describe("an answer where drafts are streamed", () => {
  it("is read while it is written, in the message that it ends up in", async () => {
    const turn = await runningTurn();
    const answer = said("Revenue rose.");
    await turn.writes(answer, "Revenue ro");
    expect(turn.service.statuses()).toMatchObject([{ draft: null }]);
    await turn.commit(answer, idleEvent());
    await turn.done;
    expect(turn.service.words()).toEqual(["Revenue rose."]);
    expect(turn.streaming()).toEqual([]);
    expect(turn.service.posts).toMatchObject([{}, { message: { answerId: answer.id } }]);
  });

  it("opens no message before there are words", async () => {
    const turn = await runningTurn();
    rig.turns.preview(turn.sessionId, "sevt_empty", " ");
    await turn.commit(said("Done."), idleEvent());
    await turn.done;
    expect(turn.service.words()).toEqual(["Done."]);
  });

  it("takes back what turns out to be the name of a step", async () => {
    const turn = await runningTurn();
    const step = said("I look at the file.");
    await turn.writes(step, "I look at");
    await turn.commit(step, tool("bash", { command: "wc -l" }));
    await turn.service.until(() => turn.service.words().length === 0);
    const answer = said("Ten lines.");
    await turn.writes(answer, "Ten");
    await turn.commit(answer, idleEvent());
    await turn.done;
    expect(turn.service.words()).toEqual(["Ten lines."]);
  });

  it("leaves nothing of an attempt that the model did not finish", async () => {
    const turn = await runningTurn();
    await turn.writes(said(""), "Reven");
    await turn.commit(failure("model_overloaded_error", "retrying"), event("session.status_rescheduled", {}));
    await turn.service.until(() => turn.service.words().length === 0);
    await turn.commit(said("Revenue rose."), idleEvent());
    await turn.done;
    expect(turn.service.words()).toEqual(["Revenue rose."]);
  });

  it("is taken back when the turn is stopped", async () => {
    const turn = await runningTurn();
    await turn.writes(said(""), "Almost an");
    await turn.commit(interruptEvent(), idleEvent());
    await turn.done;
    expect(turn.service.words()).toEqual([]);
    expect(turn.service.statuses()).toMatchObject([{ state: "stopped" }]);
  });

  it("that is too long for a message goes on in others, of which the last is rated", async () => {
    const small = { drafts: "stream", markdownCharsMax: 80 } as const;
    const turn = await runningTurn({ limits: small });
    const paragraphs = ["a", "b", "c"].map((letter) => letter.repeat(60));
    const answer = said(paragraphs.join("\n\n"));
    await turn.writes(answer, paragraphs[0] ?? "");
    await turn.commit(answer, idleEvent());
    await turn.done;
    expect(turn.service.words()).toEqual(paragraphs);
    const ids = turn.service.posts.map(({ message }) => (message.type === "text" ? message.answerId : "status"));
    expect(ids).toEqual(["status", null, null, answer.id]);
  });

  it("is posted whole when the surface can't stream now", async () => {
    const turn = await runningTurn();
    turn.service.fail("openStream", "before", new RetryableError("slow down"));
    const answer = said("Revenue rose.");
    rig.turns.preview(turn.sessionId, answer.id, "Revenue");
    await turn.service.until(() => turn.service.faultsLeft() === 0);
    await turn.commit(answer, idleEvent());
    await turn.done;
    expect(turn.service.words()).toEqual(["Revenue rose."]);
  });

  it("is finished again when the surface was busy, or its answer was lost", async () => {
    for (const when of ["before", "after"] as const) {
      const turn = await runningTurn();
      const answer = said("Revenue rose.");
      await turn.writes(answer, "Revenue");
      turn.service.fail("finish", when, new RetryableError("slow down", { retryAfterMs: 1 }));
      await turn.commit(answer, idleEvent());
      await turn.done;
      expect(turn.service.words()).toEqual(["Revenue rose."]);
    }
  });
});

describe("a process that dies while an answer is streamed", () => {
  /** The deliverer is gone in the middle of an answer. */
  async function abandoned() {
    const stopping = new AbortController();
    const turn = await runningTurn({ signal: stopping.signal });
    await turn.writes(said(""), "Revenue ro");
    stopping.abort(new Killed());
    await expect(turn.done).rejects.toThrow(Killed);
    return turn;
  }

  it("leaves the answer to the next one, which puts it into the same message", async () => {
    const turn = await abandoned();
    await turn.commit(said("Revenue rose."), idleEvent());
    await turn.takeOver();
    expect(turn.service.words()).toEqual(["Revenue rose."]);
    await turn.takeOver();
    expect(turn.service.words()).toEqual(["Revenue rose."]);
  });

  it("also when the model had to begin anew", async () => {
    const turn = await abandoned();
    const done = turn.takeOver();
    const again = said("Costs fell.");
    rig.turns.preview(turn.sessionId, again.id, "Costs");
    await turn.commit(again, idleEvent());
    await done;
    expect(turn.service.words()).toEqual(["Costs fell."]);
  });

  it("leaves no half answer of a turn that is stopped", async () => {
    const turn = await abandoned();
    await turn.commit(interruptEvent(), idleEvent());
    await turn.takeOver();
    expect(turn.service.words()).toEqual([CUT_SHORT]);
  });

  const points = [
    // The status, the draft, the answer; and for `settle`, that nothing is a draft any more.
    ...[1, 2, 3].flatMap((nth) => [["intend", "before", nth] as const, ["intend", "after", nth] as const]),
    ...[1, 3, 4].flatMap((nth) => [["settle", "before", nth] as const, ["settle", "after", nth] as const]),
    ["settle", "after", 2] as const,
    ["moveCursor", "before", 1] as const,
    ["moveCursor", "after", 1] as const,
  ];
  it.each(points)(
    "at `%s`, %s it is done (call %i), neither loses nor doubles the answer",
    async (method, when, nth) => {
      const { sessionId, key, service, store, deliver } = await rig.openThread();
      await rig.begin(sessionId);
      const done = deliver({ limits, store: dyingStore(store, method, when, nth) });
      const died = done.then(
        () => false,
        (error: unknown) => error instanceof Killed,
      );
      const answer = said("Revenue rose.");
      const streams = service.until(() => service.posts.some(({ streaming }) => streaming));
      if (await Promise.race([died, service.until(() => service.statuses().length === 1).then(() => false)])) {
        await rig.turns.commit(sessionId, answer, idleEvent());
      } else {
        rig.turns.preview(sessionId, answer.id, "Revenue");
        // The draft's own writes are part of what may fail: then nothing is streamed.
        if (method === "moveCursor" || nth > 2) await streams;
        await rig.turns.commit(sessionId, answer, idleEvent());
      }
      expect(await died).toBe(true);
      await rig.expireLease(key);
      await deliver({ limits });
      expect(service.words()).toEqual(["Revenue rose."]);
      expect(service.statuses()).toMatchObject([{ state: "done" }]);
    },
  );
});
