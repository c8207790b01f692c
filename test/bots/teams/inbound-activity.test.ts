import { describe, expect, it } from "vitest";
import { Activity } from "../../../bots/teams/activity.ts";
import { cardActionData } from "../../../bots/teams/card-actions.ts";
import { inboundActivity } from "../../../bots/teams/inbound-activity.ts";

const BOT = "28:bot";
const CHANNEL = "19:eng@thread.tacv2";
const OPTIONS = { allowedTenants: null, tenantWhenUnnamed: null };
const MENTION = [{ type: "mention", mentioned: { id: BOT }, text: "<at>Deckhand</at>" }];

const activity = (over: Record<string, unknown> = {}) =>
  Activity.parse({
    type: "message",
    id: "1700",
    channelId: "msteams",
    serviceUrl: "https://smba.trafficmanager.net/emea/",
    from: { id: "29:alice", name: "Alice", aadObjectId: "aad-alice" },
    recipient: { id: BOT, name: "Deckhand" },
    conversation: { id: "a:1", conversationType: "personal", tenantId: "T-1" },
    text: "hello",
    ...over,
  });
const inChannel = (id: string, over: Record<string, unknown> = {}) =>
  activity({ conversation: { id, conversationType: "channel", tenantId: "T-1", isGroup: true }, ...over });
const originOf = (given: Activity) => {
  const inbound = inboundActivity(given, OPTIONS);
  return "origin" in inbound ? inbound.origin : expect.fail(`It is ${inbound.type}.`);
};

describe("a thread's key", () => {
  it("of a channel is its root, which the first message itself is", () => {
    const key = `teams:T-1:${CHANNEL};messageid=1700`;
    expect(originOf(inChannel(CHANNEL, { entities: MENTION })).thread).toBe(key);
    expect(originOf(inChannel(`${CHANNEL};messageid=1700`, { entities: MENTION })).thread).toBe(key);
    expect(originOf(inChannel(`${CHANNEL};messageid=1700`, { id: "1701" })).thread).toBe(key);
  });

  it("of a group chat and of a personal chat is the conversation, whatever its id looks like", () => {
    expect(originOf(activity({ replyToId: "1600" })).thread).toBe("teams:T-1:a:1");
    const conversation = { id: "a:group", conversationType: "groupChat", tenantId: "T-1" };
    expect(originOf(activity({ conversation }))).toMatchObject({
      thread: "teams:T-1:a:group",
      ref: { kind: "groupChat" },
    });
  });

  it("has one place for all threads of a channel", () => {
    expect(originOf(inChannel(`${CHANNEL};messageid=1700`, { entities: MENTION })).place).toBe(`teams:T-1:${CHANNEL}`);
  });
});

describe("a message", () => {
  it.each<[string, Activity, Record<string, unknown>]>([
    ["of a person alone with the agent is for it", activity(), { type: "message", addressed: true }],
    [
      "in a channel's thread without a mention may be",
      inChannel(`${CHANNEL};messageid=1`),
      { type: "message", addressed: false },
    ],
    ["that begins a thread without a mention is not", inChannel(CHANNEL), { type: "drop", reason: "not_addressed" }],
    [
      "that only mentions calls the agent",
      inChannel(CHANNEL, { text: "<at>Deckhand</at>", entities: MENTION }),
      { type: "message", text: "" },
    ],
    [
      "with nothing in it is none",
      inChannel(`${CHANNEL};messageid=1`, { text: "" }),
      { type: "drop", reason: "empty" },
    ],
    ["of another bot is none", activity({ from: { id: "28:other" } }), { type: "drop", reason: "from_a_bot" }],
    [
      "of a client that names no tenant is none",
      activity({ conversation: { id: "a:1" } }),
      { type: "drop", reason: "no_tenant" },
    ],
    [
      "that only the agent sees is a command",
      activity({ recipient: { id: BOT, isTargeted: true }, text: "status" }),
      { type: "command", text: "status" },
    ],
    ["that is typing is none", activity({ type: "typing" }), { type: "drop", reason: "other_type" }],
  ])("%s", (_, given, expected) => {
    expect(inboundActivity(given, OPTIONS)).toMatchObject(expected);
  });

  it("of a tenant that is not allowed is none, however it is written", () => {
    const options = { ...OPTIONS, allowedTenants: ["t-2"] };
    expect(inboundActivity(activity(), options)).toEqual({ type: "drop", reason: "tenant_not_allowed" });
    expect(inboundActivity(activity(), { ...options, allowedTenants: ["t-1"] }).type).toBe("message");
  });
});

describe("a press", () => {
  const data = cardActionData({ type: "stop", thread: "teams:T-1:a:1" });
  const submitted = (over: Record<string, unknown> = {}) =>
    activity({ text: undefined, value: data, replyToId: "card", ...over });

  it("by Action.Submit and by Action.Execute is the same", () => {
    const action = { type: "stop", thread: "teams:T-1:a:1" };
    const value = { action: { type: "Action.Execute", verb: "deckhand_stop", data } };
    expect(inboundActivity(submitted(), OPTIONS)).toMatchObject({ type: "press", action });
    const invoked = activity({ type: "invoke", name: "adaptiveCard/action", value, text: undefined });
    expect(inboundActivity(invoked, OPTIONS)).toMatchObject({ type: "press", action, origin: { invoke: true } });
  });

  it("has one id for all its deliveries, and another for other people, cards and values", () => {
    const ids = [
      submitted(),
      submitted({ id: "1701", timestamp: "later" }),
      submitted({ from: { id: "29:bob" } }),
      submitted({ replyToId: "another card" }),
      submitted({ value: cardActionData({ type: "approve", thread: "teams:T-1:a:1", toolUseId: "t" }) }),
    ].map((given) => originOf(given).messageId);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(4);
  });

  it.each([
    ["something that is not ours", { verb: "other" }],
    ["a thread of another conversation", cardActionData({ type: "stop", thread: "teams:T-1:a:2" })],
    ["a thread of another tenant", cardActionData({ type: "stop", thread: "teams:T-2:a:1" })],
    ["a thread of another surface", { verb: "deckhand_stop", thread: "slack:T0:C0:1.2" }],
  ])("of %s does nothing", (_, value) => {
    expect(inboundActivity(submitted({ value }), OPTIONS)).toMatchObject({ type: "press", action: null });
  });
});
