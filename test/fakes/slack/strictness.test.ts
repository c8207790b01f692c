import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { slackClient, slackErrorOf } from "../../support/slack-client.ts";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";

const plain = (text: string) => ({ type: "plain_text" as const, text });

let fake: FakeSlack;
beforeAll(async () => {
  fake = await startFakeSlack();
});
afterAll(() => fake.close());

describe("what Slack would refuse is refused, and kept as a violation", () => {
  it.each<[string, string, Record<string, unknown>, string]>([
    ["an unknown argument", "chat.postMessage", { text: "a", colour: "red" }, "invalid_arguments"],
    ["nothing to say", "chat.postMessage", {}, "no_text"],
    ["a text that would be cut", "chat.postMessage", { text: "x".repeat(40_001) }, "msg_too_long"],
    ["markdown_text beside text", "chat.postMessage", { text: "a", markdown_text: "b" }, "markdown_text_conflict"],
    ["a long markdown_text", "chat.postMessage", { markdown_text: "x".repeat(12_001) }, "msg_too_long"],
    ["a thread_ts that is none", "chat.postMessage", { text: "a", thread_ts: "" }, "invalid_arguments"],
    [
      "metadata of another form",
      "chat.postMessage",
      { text: "a", metadata: { event_type: "a b", event_payload: {} } },
      "invalid_metadata_format",
    ],
    [
      "metadata that nests deep",
      "chat.postMessage",
      { text: "a", metadata: { event_type: "a", event_payload: { a: { b: { c: 1 } } } } },
      "invalid_metadata_format",
    ],
    [
      "large metadata",
      "chat.postMessage",
      { text: "a", metadata: { event_type: "a", event_payload: { a: "x".repeat(16_001) } } },
      "metadata_too_large",
    ],
    [
      "a reaction with colons",
      "reactions.add",
      { timestamp: "1790000000.000100", name: ":eyes:" },
      "invalid_arguments",
    ],
    [
      "a status that is none",
      "agents.sessions.setStatus",
      { channel_id: "C01ENG", thread_ts: "1790000000.000100", status: "busy" },
      "invalid_arguments",
    ],
    [
      "five prompts",
      "assistant.threads.setSuggestedPrompts",
      { channel_id: "D01ALICE", prompts: Array.from({ length: 5 }, () => ({ title: "a", message: "b" })) },
      "invalid_arguments",
    ],
    ["a limit of 1001", "conversations.history", { limit: 1001 }, "invalid_limit"],
    ["a cursor of one's own", "conversations.history", { cursor: "bmV4dA==" }, "invalid_cursor"],
    ["a file of no bytes", "files.getUploadURLExternal", { filename: "a.txt", length: 0 }, "invalid_arguments"],
    ["a method that is none", "chat.postMessages", { text: "a" }, "unknown_method"],
  ])("%s", async (_, method, args, error) => {
    const body =
      method.startsWith("chat") || method.startsWith("conv") || method.startsWith("rea")
        ? { channel: "C01ENG", ...args }
        : args;
    expect(await refusal(method, body)).toBe(error);
  });

  it("an update whose text is over 4,000 bytes once it is escaped", async () => {
    const { ts } = await slackClient(fake).chat.postMessage({ channel: "C01ENG", text: "a" });
    const args = { channel: "C01ENG", ts };
    expect(await refusal("chat.update", { ...args, text: "&".repeat(801) })).toBe("msg_too_long");
    await slackClient(fake).apiCall("chat.update", { ...args, text: "&".repeat(800) });
  });

  it("an update that leaves it open what becomes of the blocks", async () => {
    const blocks = [{ type: "divider" as const }];
    const { ts } = await slackClient(fake).chat.postMessage({ channel: "C01ENG", text: "a", blocks });
    expect(await refusal("chat.update", { channel: "C01ENG", ts, text: "b" })).toBe("invalid_arguments");
    expect(await errorOf("chat.update", { channel: "C01ENG", ts, text: "b", blocks: [] })).toBeNull();
  });

  it("a reply to a reply", async () => {
    const { ts: root } = await slackClient(fake).chat.postMessage({ channel: "C01ENG", text: "root" });
    const { ts: reply } = await slackClient(fake).chat.postMessage({
      channel: "C01ENG",
      text: "reply",
      thread_ts: root ?? "",
    });
    expect(await refusal("chat.postMessage", { channel: "C01ENG", text: "a", thread_ts: reply })).toBe(
      "thread_not_found",
    );
  });
});

describe("what an app may run into is refused, and is no violation", () => {
  it.each<[string, string, string, Record<string, unknown>, string]>([
    ["no such token", "xoxb-none", "auth.test", {}, "invalid_auth"],
    [
      "a channel of another team",
      "xoxb-beta",
      "chat.postMessage",
      { channel: "C01ENG", text: "a" },
      "channel_not_found",
    ],
    [
      "a channel that the app is not in",
      "xoxb-acme",
      "chat.postMessage",
      { channel: "C03OUT", text: "a" },
      "not_in_channel",
    ],
    ["an archived channel", "xoxb-acme", "chat.postMessage", { channel: "C04OLD", text: "a" }, "is_archived"],
    [
      "no such thread",
      "xoxb-acme",
      "chat.postMessage",
      { channel: "C01ENG", text: "a", thread_ts: "1700000000.000100" },
      "thread_not_found",
    ],
    [
      "no such message",
      "xoxb-acme",
      "chat.update",
      { channel: "C01ENG", ts: "1700000000.000100", text: "a" },
      "message_not_found",
    ],
    ["nobody", "xoxb-acme", "users.info", { user: "U0NOBODY" }, "user_not_found"],
    [
      "somebody of a team that has nothing to do with ours",
      "xoxb-beta",
      "users.info",
      { user: "U91STRANGER" },
      "user_not_visible",
    ],
    ["no such file", "xoxb-acme", "files.info", { file: "F0NONE" }, "file_not_found"],
  ])("%s", async (_, token, method, args, error) => {
    const before = fake.violations.length;
    expect(await errorOf(method, args, token)).toBe(error);
    expect(fake.violations).toHaveLength(before);
  });

  it("a reaction that is there", async () => {
    const { ts = "" } = await slackClient(fake).chat.postMessage({ channel: "C01ENG", text: "a" });
    const args = { channel: "C01ENG", timestamp: ts, name: "eyes" };
    await slackClient(fake).reactions.add(args);
    expect(await errorOf("reactions.add", args)).toBe("already_reacted");
    await slackClient(fake).reactions.remove(args);
    expect(await errorOf("reactions.remove", args)).toBe("no_reaction");
  });

  it("somebody else's message", async () => {
    const { ts } = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "mine" });
    expect(await errorOf("chat.update", { channel: "C01ENG", ts, text: "a" })).toBe("cant_update_message");
    expect(await errorOf("chat.delete", { channel: "C01ENG", ts })).toBe("cant_delete_message");
  });

  it("a scope that is missing, with what is needed", async () => {
    const beta = fake.world.tokens.get("xoxb-beta")?.installation;
    beta?.scopes.delete("reactions:write");
    const args = { channel: "C21GEN", timestamp: "1700000000.000100", name: "eyes" };
    const refused = await slackClient(fake, "xoxb-beta")
      .reactions.add(args)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ data: { error: "missing_scope", needed: "reactions:write" } });
  });

  it("a trigger that was used, and one that is too old", async () => {
    const view = { type: "modal", title: plain("a"), blocks: [] };
    const old = fake.trigger("U01ALICE");
    fake.clock.advance(3_000);
    expect(await errorOf("views.open", { trigger_id: old, view })).toBe("expired_trigger_id");
    const trigger_id = fake.trigger("U01ALICE");
    await slackClient(fake).apiCall("views.open", { trigger_id, view });
    expect(await errorOf("views.open", { trigger_id, view })).toBe("exchanged_trigger_id");
  });
});

it("an agent that does not listen to the stop button is warned, and one that is none is refused", async () => {
  const quiet = await startFakeSlack({ events: ["app_mention"] });
  const other = await startFakeSlack({ isAgent: false });
  const status = async (world: FakeSlack) => {
    const { ts } = world.say({ channel: "C01ENG", user: "U01ALICE", text: "hello" });
    return slackClient(world)
      .apiCall("agents.sessions.setStatus", { channel_id: "C01ENG", thread_ts: ts, status: "processing" })
      .catch((error: unknown) => error);
  };
  expect(await status(quiet)).toMatchObject({ warning: "missing_agent_session_stopped_event_subscription" });
  expect(await status(fake)).not.toHaveProperty("warning");
  expect(await status(other)).toMatchObject({ data: { error: "not_authorized" } });
  await Promise.all([quiet.close(), other.close()]);
});

async function errorOf(method: string, args: Record<string, unknown>, token?: string): Promise<string | null> {
  return slackErrorOf(slackClient(fake, token).apiCall(method, args));
}

/** The error, after a look that the violation was kept. */
async function refusal(method: string, args: Record<string, unknown>): Promise<string | null> {
  const before = fake.violations.length;
  const error = await errorOf(method, args);
  expect(fake.violations).toHaveLength(before + 1);
  return error;
}
