import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { slackClient, slackErrorOf } from "../../support/slack-client.ts";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";
import { DOCUMENTED_LIMITS } from "./rate-limits.ts";

let fake: FakeSlack;
beforeEach(async () => {
  fake = await startFakeSlack();
});
afterEach(() => fake.close());

const post = (text: string) => slackClient(fake).chat.postMessage({ channel: "C01ENG", text });
const texts = () => fake.messages("C01ENG").map(({ text }) => text);

describe("a fault", () => {
  it("before the effect: nothing happened", async () => {
    void fake.fail("chat.postMessage", { type: "reset", when: "before" });
    await expect(post("lost")).rejects.toThrow();
    await post("there");
    expect(texts()).toEqual(["there"]);
  });

  it("after the effect: it happened, and the answer is lost", async () => {
    void fake.fail("chat.postMessage", { type: "reset", when: "after" });
    await expect(post("there")).rejects.toThrow();
    expect(texts()).toEqual(["there"]);
  });

  it("can be an error, a status or too many requests, as often as is said", async () => {
    void fake.fail("chat.postMessage", { type: "error", error: "fatal_error" }, { times: 2 });
    expect(await slackErrorOf(post("a"))).toBe("fatal_error");
    expect(await slackErrorOf(post("a"))).toBe("fatal_error");
    void fake.fail("*", { type: "http", status: 503 });
    await expect(post("a")).rejects.toMatchObject({ statusCode: 503 });
    void fake.fail("chat.postMessage", { type: "rate_limited", retryAfterSeconds: 7 });
    await expect(post("a")).rejects.toMatchObject({ retryAfter: 7 });
    expect(texts()).toEqual([]);
  });

  it("holds a call until it is let go, and is for one installation if it says so", async () => {
    const gate = Promise.withResolvers<void>();
    const reached = fake.fail(
      "chat.postMessage",
      { type: "hold", when: "before", until: gate.promise },
      { team: "T01ACME" },
    );
    await slackClient(fake, "xoxb-beta").chat.postMessage({ channel: "C21GEN", text: "free" });
    const posting = post("held");
    await reached;
    expect(texts()).toEqual([]);
    gate.resolve();
    await posting;
    expect(texts()).toEqual(["held"]);
  });
});

describe("limits, once they are on", () => {
  it("a message a second in a channel, by the fake's clock", async () => {
    fake.limit(DOCUMENTED_LIMITS);
    await post("one");
    await expect(post("two")).rejects.toMatchObject({ retryAfter: 1 });
    await slackClient(fake).chat.postMessage({ channel: "D01ALICE", text: "elsewhere" });
    fake.clock.advance(1_000);
    await post("three");
    expect(texts()).toEqual(["one", "three"]);
  });

  it("calls of a method in a window, for each installation", async () => {
    fake.limit({ perMethod: { "conversations.replies": 1 } });
    const { ts } = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "a" });
    const replies = () => slackClient(fake).conversations.replies({ channel: "C01ENG", ts });
    await replies();
    await expect(replies()).rejects.toMatchObject({ retryAfter: 60 });
    fake.clock.advance(60_000);
    await replies();
  });
});

describe("waiting", () => {
  it("wakes as soon as it is so, and says what was waited for when it is not", async () => {
    const waiting = fake.until("the answer", () => fake.callsTo("chat.postMessage").find(({ answer }) => answer?.ok));
    await post("a");
    expect(await waiting).toMatchObject({ method: "chat.postMessage", team: "T01ACME", args: { text: "a" } });
    await expect(fake.until("a miracle", () => null, 1)).rejects.toThrow("a miracle");
  });
});
