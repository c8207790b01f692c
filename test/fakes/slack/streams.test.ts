import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { slackClient, slackErrorOf } from "../../support/slack-client.ts";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";

const LIFETIME_MS = 5 * 60_000;
let fake: FakeSlack;
let root: string;
beforeEach(async () => {
  fake = await startFakeSlack();
  root = fake.say({ channel: "D01ALICE", user: "U01ALICE", text: "hello" }).ts;
});
afterEach(() => fake.close());

const start = () => slackClient(fake).chat.startStream({ channel: "D01ALICE", thread_ts: root, markdown_text: "Reve" });
const call = (method: string, args: Record<string, unknown>) => slackClient(fake).apiCall(method, args);

describe("a stream", () => {
  it("grows, ends with its blocks and metadata, and leaves an ordinary message", async () => {
    const { ts } = await start();
    await call("chat.appendStream", { channel: "D01ALICE", ts, markdown_text: "nue" });
    const metadata = { event_type: "m", event_payload: { a: "b" } };
    await call("chat.stopStream", {
      channel: "D01ALICE",
      ts,
      blocks: [{ type: "divider" }],
      metadata,
      session_status: "active",
    });
    expect(fake.thread("D01ALICE", root).at(-1)).toMatchObject({ text: "Revenue", threadTs: root, metadata });
    expect([...fake.world.sessions.values()]).toMatchObject([{ status: "active" }]);
    await call("chat.update", { channel: "D01ALICE", ts, text: "Costs", blocks: [] });
  });

  it("takes nothing once it was stopped, by the app or by a person", async () => {
    const first = await start();
    await call("chat.stopStream", { channel: "D01ALICE", ts: first.ts });
    const second = await start();
    fake.stopSession({ channel: "D01ALICE", threadTs: root, user: "U01ALICE" });
    for (const { ts } of [first, second]) {
      const append = call("chat.appendStream", { channel: "D01ALICE", ts, markdown_text: "x" });
      expect(await slackErrorOf(append)).toBe("message_not_in_streaming_state");
    }
  });

  it("closes by itself after five minutes, appends or not", async () => {
    const { ts } = await start();
    fake.clock.advance(LIFETIME_MS - 1_000);
    await call("chat.appendStream", { channel: "D01ALICE", ts, markdown_text: "nue" });
    fake.clock.advance(1_000);
    const stop = call("chat.stopStream", { channel: "D01ALICE", ts });
    expect(await slackErrorOf(stop)).toBe("message_not_in_streaming_state");
    expect(fake.thread("D01ALICE", root).at(-1)?.text).toBe("Revenue");
  });

  it("can't be updated while it runs", async () => {
    const { ts } = await start();
    expect(await slackErrorOf(call("chat.update", { channel: "D01ALICE", ts, text: "x" }))).toBe(
      "streaming_state_conflict",
    );
  });

  it("needs its recipient outside a direct message", async () => {
    const { ts: thread_ts } = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "hello" });
    const args = { channel: "C01ENG", thread_ts };
    expect(await slackErrorOf(call("chat.startStream", args))).toBe("missing_recipient_user_id");
    const user = { ...args, recipient_user_id: "U01ALICE" };
    expect(await slackErrorOf(call("chat.startStream", user))).toBe("missing_recipient_team_id");
    expect(await slackErrorOf(call("chat.startStream", { ...user, recipient_team_id: "T0NONE" }))).toBe(
      "team_not_found",
    );
    await call("chat.startStream", { ...user, recipient_team_id: "T01ACME" });
  });

  it("takes no more than 12,000 characters at once, and no unknown chunk", async () => {
    const { ts } = await start();
    const append = (args: Record<string, unknown>) =>
      slackErrorOf(call("chat.appendStream", { channel: "D01ALICE", ts, ...args }));
    expect(await append({ markdown_text: "x".repeat(12_001) })).toBe("msg_too_long");
    expect(await append({ chunks: [{ type: "song" }] })).toBe("invalid_chunks");
    expect(await append({})).toBe("no_text");
    expect(await append({ chunks: [{ type: "task_update", id: "1", title: "a", status: "complete" }] })).toBeNull();
  });
});
