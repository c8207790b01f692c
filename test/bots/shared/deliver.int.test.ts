import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatStore } from "../../../bots/shared/chat-store.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";
import { failure, idleEvent, interruptEvent, said, tool } from "../../fakes/played-turns.ts";
import { userMessage } from "../../support/api.ts";
import { type DeliveryRig, dyingStore, Killed, startDeliveryRig } from "../../support/delivery-rig.ts";

let rig: DeliveryRig;
beforeAll(async () => {
  rig = await startDeliveryRig();
});
afterAll(() => rig.close());

const playWholeTurn: DeliveryRig["playWholeTurn"] = (sessionId, answer) => rig.playWholeTurn(sessionId, answer);
const output: DeliveryRig["output"] = (...args) => rig.output(...args);

describe("delivery", () => {
  it("brings one status, the answer and the files of a turn, and nothing of the steps in between", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await output(sessionId, "report.csv", "a,b", "PNG of it");
    await playWholeTurn(sessionId, "Revenue rose.");
    await deliver();
    expect(service.words()).toEqual(["Revenue rose."]);
    expect(service.statuses()).toMatchObject([
      {
        state: "done",
        tokens: 1200,
        steps: [{ label: "I look at the file", state: "done", detail: "bash: python3 look.py" }],
      },
    ]);
    expect(service.uploads.map(({ files }) => files)).toEqual([
      [{ name: "report.csv", content: "a,b", preview: "PNG of it" }],
    ]);
  });

  it("delivers nothing twice when it is called again", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await output(sessionId, "report.csv", "a,b");
    await playWholeTurn(sessionId, "Once.");
    await deliver();
    await deliver();
    expect(service.posts).toHaveLength(2);
    expect(service.uploads).toHaveLength(1);
  });

  it("uploads only what is new since the turn before", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await output(sessionId, "report.csv", "first");
    await playWholeTurn(sessionId, "One.");
    await deliver();
    await output(sessionId, "report.csv", "second");
    await playWholeTurn(sessionId, "Two.");
    await deliver();
    expect(service.uploads.map(({ files }) => files.map(({ content }) => content))).toEqual([["first"], ["second"]]);
  });

  it("waits for a message that is still queued, and follows the turn live", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("go")] });
    const done = deliver();
    await rig.turns.takeUp(sessionId);
    await service.until(() => service.statuses().length === 1);
    await rig.turns.commit(sessionId, said("I count."), tool("bash", { command: "wc -l data.csv" }));
    await service.until(() => service.statuses()[0]?.steps.length === 1);
    expect(service.statuses()[0]).toMatchObject({ state: "working", endedAt: null });
    await rig.turns.commit(sessionId, said("Done."));
    await rig.turns.idle(sessionId);
    await done;
    expect(service.words()).toEqual(["Done."]);
    expect(service.statuses()[0]?.state).toBe("done");
  });

  it("does not leave when the message is taken up between its questions to the API", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("go")] });
    let lists = 0;
    const client = new Anthropic({
      baseURL: rig.api.baseURL,
      apiKey: rig.api.key,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (/\/events\?/.test(response.url) && ++lists === 1) await rig.turns.takeUp(sessionId);
        return response;
      },
    });
    const done = deliver({ client });
    await service.until(() => service.statuses().length === 1);
    await rig.turns.commit(sessionId, said("Done."), idleEvent());
    await done;
    expect(service.words()).toEqual(["Done."]);
  });

  it("delivers every turn that ended while nobody was there, in order", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    for (const answer of ["One.", "Two.", "Three."]) await playWholeTurn(sessionId, answer);
    await deliver();
    expect(service.words()).toEqual(["One.", "Two.", "Three."]);
    expect(service.statuses().map(({ state }) => state)).toEqual(["done", "done", "done"]);
  });

  it("posts the answer to what was asked before a message that came in between", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("one")] });
    await rig.turns.takeUp(sessionId);
    await rig.turns.commit(sessionId, said("Answer one."));
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("two")] });
    await rig.turns.takeUp(sessionId);
    await rig.turns.commit(sessionId, said("Answer two."), idleEvent());
    await deliver();
    expect(service.words()).toEqual(["Answer one.", "Answer two."]);
    expect(service.statuses()).toHaveLength(1);
  });

  it("posts no late answer of a turn that was stopped", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.begin(sessionId);
    await rig.turns.commit(sessionId, said("Almost an answer"), interruptEvent(), idleEvent());
    await deliver();
    expect(service.words()).toEqual([]);
    expect(service.statuses()).toMatchObject([{ state: "stopped" }]);
  });

  it("says what happened in words of its own when a turn fails", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.begin(sessionId);
    await rig.turns.commit(sessionId, failure("model_overloaded_error", "exhausted"), idleEvent("retries_exhausted"));
    await deliver();
    expect(service.words()).toHaveLength(1);
    expect(service.words()[0]).toContain("overloaded");
    expect(service.words()[0]).not.toContain("raw words");
    expect(service.statuses()).toMatchObject([{ state: "failed" }]);
  });

  it("shows a retry on the status and posts nothing about it", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("go")] });
    const done = deliver();
    await rig.turns.takeUp(sessionId);
    await rig.turns.commit(sessionId, failure("model_rate_limited_error", "retrying"));
    await service.until(() => service.statuses()[0]?.note?.includes("rate limit") === true);
    await rig.turns.commit(sessionId, said("Fine."), idleEvent());
    await done;
    expect(service.words()).toEqual(["Fine."]);
    expect(service.statuses()[0]?.note).toBeNull();
  });

  it("shows what the agent is writing where the surface wants it", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("go")] });
    const done = deliver({ limits: { drafts: "status" } });
    await rig.turns.takeUp(sessionId);
    await service.until(() => service.statuses().length === 1);
    rig.turns.preview(sessionId, "sevt_draft", "Revenue ro");
    await service.until(() => service.statuses()[0]?.draft === "Revenue ro");
    await rig.turns.commit(sessionId, said("Revenue rose."), idleEvent());
    await done;
    expect(service.statuses()[0]?.draft).toBeNull();
  });

  it("sees a message whose wake came while it was about to leave", async () => {
    const { key, sessionId, store, service, deliver } = await rig.openThread();
    await playWholeTurn(sessionId, "One.");
    let second: Promise<void> | null = null;
    const late: ChatStore = {
      ...store,
      deliveries: {
        ...store.deliveries,
        release: async (...args) => {
          second ??= (async () => {
            await playWholeTurn(sessionId, "Two.");
            await store.deliveries.wake(key);
            // What the wake is followed by: it finds the thread leased and returns.
            await deliver();
          })();
          await second;
          return store.deliveries.release(...args);
        },
      },
    };
    await deliver({ store: late });
    expect(service.words()).toEqual(["One.", "Two."]);
  });

  it("leaves a thread alone that somebody else delivers", async () => {
    const { key, sessionId, store, service, deliver } = await rig.openThread();
    await store.deliveries.lease(key, "somebody", 60_000);
    await playWholeTurn(sessionId, "One.");
    await deliver();
    expect(service.posts).toEqual([]);
  });

  it("detaches a thread whose session was deleted, and says so", async () => {
    const { key, sessionId, store, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.delete(sessionId);
    await deliver();
    expect(service.words()[0]).toContain("deleted");
    expect((await store.threads.open(key)).sessionId).toBeNull();
  });
});

describe("delivery that is killed", () => {
  const points = ["intend", "settle", "moveCursor"] as const;
  const cases = points.flatMap((method) =>
    (["before", "after"] as const).flatMap((when) =>
      (method === "moveCursor" ? [1] : [1, 2, 3]).map((nth) => [method, when, nth] as const),
    ),
  );

  it.each(cases)("at `%s`, %s it is done (call %i), neither loses nor doubles a post", async (method, when, nth) => {
    const { key, sessionId, store, service, deliver } = await rig.openThread();
    await output(sessionId, "report.csv", "a,b");
    await playWholeTurn(sessionId, "Revenue rose.");
    await expect(deliver({ store: dyingStore(store, method, when, nth) })).rejects.toThrow(Killed);
    await rig.expireLease(key);
    await deliver();
    expect(service.words()).toEqual(["Revenue rose."]);
    expect(service.statuses().map(({ state }) => state)).toEqual(["done"]);
    expect(service.uploads).toHaveLength(1);
  });

  it.each(["post", "upload"] as const)("between a `%s` and its answer, does not make it twice", async (method) => {
    const { key, sessionId, service, deliver } = await rig.openThread();
    await output(sessionId, "report.csv", "a,b");
    await playWholeTurn(sessionId, "Revenue rose.");
    service.fail(method, "after", new Killed());
    await expect(deliver()).rejects.toThrow(Killed);
    await rig.expireLease(key);
    await deliver();
    expect(service.words()).toEqual(["Revenue rose."]);
    expect(service.posts).toHaveLength(2);
    expect(service.uploads).toHaveLength(1);
  });
});

describe("delivery through a bad network", () => {
  it("goes on where it was when the stream breaks in the middle of a turn", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("go")] });
    const done = deliver();
    await rig.turns.takeUp(sessionId);
    await service.until(() => service.statuses().length === 1);
    rig.network.cut();
    await rig.turns.commit(sessionId, said("I count."), tool("bash", { command: "wc -l" }), said("Done."), idleEvent());
    await done;
    expect(service.words()).toEqual(["Done."]);
    expect(service.statuses()).toMatchObject([{ state: "done", steps: [{ label: "I count" }] }]);
  });

  it("waits for an API that is down, says so on the status, and resumes", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await rig.api.client.beta.sessions.events.send(sessionId, { events: [userMessage("go")] });
    const done = deliver();
    await rig.turns.takeUp(sessionId);
    await service.until(() => service.statuses().length === 1);
    rig.network.down();
    await service.until(() => service.statuses()[0]?.note?.includes("Lost contact") === true);
    await rig.turns.commit(sessionId, said("Done."), idleEvent());
    rig.network.up();
    await done;
    expect(service.words()).toEqual(["Done."]);
    expect(service.statuses()).toMatchObject([{ state: "done", note: null }]);
  });

  it("tries again when the download of a file breaks off", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await output(sessionId, "report.csv", "a,b");
    await playWholeTurn(sessionId, "Here.");
    const lost = rig.network.loseAnswer("GET", /\/v1\/files\/[^/]+\/content$/);
    await Promise.all([deliver(), lost]);
    expect(service.uploads.map(({ files }) => files[0]?.content)).toEqual(["a,b"]);
    expect(service.words()).toEqual(["Here."]);
  });
});

describe("a surface that refuses", () => {
  it("for now, is asked again", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await playWholeTurn(sessionId, "Here.");
    service.fail("post", "before", new RetryableError("slow down", { retryAfterMs: 5 }));
    service.fail("update", "before", new RetryableError("slow down", { retryAfterMs: 5 }));
    await deliver();
    expect(service.words()).toEqual(["Here."]);
    expect(service.statuses()).toMatchObject([{ state: "done" }]);
  });

  it("the status for good, still gets the answer and is asked no more", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await playWholeTurn(sessionId, "Here.");
    service.fail("post", "before", new TerminalError("the thread is gone."));
    await deliver();
    expect(service.words()).toEqual(["Here."]);
    expect(service.statuses()).toEqual([]);
  });

  it("a file for good, is told so in the thread, and the turn still ends", async () => {
    const { sessionId, service, deliver } = await rig.openThread();
    await output(sessionId, "report.csv", "a,b");
    await playWholeTurn(sessionId, "Here.");
    service.fail("upload", "before", new TerminalError("files of this type are not allowed here."));
    await deliver();
    expect(service.words()).toMatchObject([
      "Here.",
      expect.stringContaining("I could not post `report.csv` here: files of this type are not allowed here."),
    ]);
    expect(service.statuses()).toMatchObject([{ state: "done" }]);
  });
});
