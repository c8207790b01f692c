import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { type RecordingBot, startRecordingBot } from "./recording-bot.ts";
import { type RestBot, restBot } from "./rest-bot.ts";
import { conversationOf } from "./world.ts";

let fake: FakeTeams;
let bot: RestBot;
let told: RecordingBot;
let heard: RecordingBot["heard"];

beforeEach(async () => {
  told = await startRecordingBot();
  ({ heard } = told);
  fake = await startFakeTeams({ deliverTo: told.endpoint, redeliveryDelaysMs: [0] });
  bot = restBot(fake);
});
afterEach(async () => {
  await fake.close();
  await told.close();
});

const write = async (key: string, activity: Record<string, unknown>) =>
  String((await bot.post(conversationOf(fake.world, key).id, { type: "message", ...activity })).body["id"]);
describe("a message", () => {
  it("has its mention, its thread and its tenant", async () => {
    const root = fake.say({ kind: "channel", user: "alice", text: "hello" });
    await root.done;
    const reply = fake.say({ kind: "channel", user: "bob", text: "and more", rootId: root.id });
    await reply.done;
    expect(heard).toMatchObject([
      {
        id: root.id,
        text: "<at>Deckhand</at> hello",
        conversation: {
          id: `${conversationOf(fake.world, "eng").id};messageid=${root.id}`,
          conversationType: "channel",
        },
        channelData: { tenant: { id: fake.tenantId }, team: { id: expect.any(String) } },
        recipient: { id: `28:${fake.appId}` },
      },
      { conversation: { id: root.conversationId }, from: { name: "Bob Acme" }, text: "<at>Deckhand</at> and more" },
    ]);
    expect(heard[0]?.["entities"]).toContainEqual(expect.objectContaining({ type: "mention" }));
  });

  it("without a mention is the bot's to hear only in personal chats, or when it hears everything", async () => {
    const aside = fake.say({ kind: "groupChat", user: "bob", text: "not for you", mention: false });
    expect([aside.sent, fake.messages("group")]).toMatchObject([null, { length: 1 }]);
    await fake.say({ kind: "personal", user: "bob", text: "for you" }).done;
    expect(heard).toMatchObject([{ text: "for you" }]);
    const nosy = await startFakeTeams({ hearsEverything: true });
    expect(nosy.say({ kind: "groupChat", user: "bob", text: "anything", mention: false }).sent).not.toBeNull();
    await nosy.close();
  });

  it("can be a command that only the bot sees", async () => {
    await fake.say({ kind: "groupChat", user: "bob", text: "stop", mention: false, targeted: true }).done;
    expect(heard).toMatchObject([{ text: "stop", recipient: { isTargeted: true } }]);
    expect(fake.messages("group")).toEqual([]);
  });

  it("comes again when the bot did not take it, and not when it refused", async () => {
    told.answers.push({ status: 500 }, { status: 200 }, { status: 401 });
    const said = fake.say({ kind: "personal", user: "alice", text: "hello" });
    await said.done;
    expect(said.sent?.delivery).toMatchObject({ taken: true, attempts: [{ status: 500 }, { status: 200 }] });
    await fake.say({ kind: "personal", user: "alice", text: "again" }).done;
    expect(heard.map(({ id }) => id === said.id)).toEqual([true, true, false]);
    if (said.sent) await fake.redeliver(said.sent.delivery, { timestamp: "2026-01-01T00:00:00.000Z" });
    expect(heard.at(-1)).toMatchObject({ id: said.id, timestamp: "2026-01-01T00:00:00.000Z" });
  });

  it("comes again when there was no answer in time", async () => {
    const hasty = await startFakeTeams({ answerWithinMs: 20, redeliveryDelaysMs: [0, 0] });
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    hasty.deliverTo(new URL(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/`));
    const said = hasty.say({ kind: "personal", user: "alice", text: "anybody?" });
    expect(await said.done).toMatchObject({ status: null });
    expect(said.sent?.delivery).toMatchObject({ taken: false, attempts: { length: 3 } });
    silent.closeAllConnections();
    silent.close();
    await hasty.close();
  });

  it("names the team's group in Entra only if it is told to, as installations do", async () => {
    const group = { team: { aadGroupId: conversationOf(fake.world, "eng").team?.aadGroupId } };
    const said = fake.say({ kind: "channel", user: "alice", text: "hello" });
    expect(said.sent?.delivery.activity["channelData"]).not.toMatchObject(group);
    expect(fake.install("eng", "alice")[0]?.delivery.activity["channelData"]).toMatchObject(group);
    const open = await startFakeTeams({ groupIdInMessages: true });
    const told = open.say({ kind: "channel", user: "alice", text: "hello" });
    expect(told.sent?.delivery.activity["channelData"]).toMatchObject(group);
    await open.close();
  });

  it("can be edited and taken back", async () => {
    const said = fake.say({ kind: "groupChat", user: "alice", text: "helo" });
    await said.done;
    await fake.edit(said.id, "hello").done;
    await fake.unsay(said.id).done;
    expect(heard.slice(1)).toMatchObject([
      {
        type: "messageUpdate",
        id: said.id,
        text: "<at>Deckhand</at> hello",
        channelData: { eventType: "editMessage" },
      },
      { type: "messageDelete", id: said.id, channelData: { eventType: "softDeleteMessage" } },
    ]);
  });
});

describe("around conversations", () => {
  it("feedback comes from messages that ask for it", async () => {
    const activityId = await write("alice", { text: "An answer.", channelData: { feedbackLoop: { type: "default" } } });
    await fake.feedback(activityId, "alice", "dislike", "Too long").done;
    const actionValue = { reaction: "dislike", feedback: '{"feedbackText":"Too long"}' };
    expect(heard).toMatchObject([{ name: "message/submitAction", value: { actionName: "feedback", actionValue } }]);
    const plain = await write("alice", { text: "Another." });
    expect(() => fake.feedback(plain, "alice", "like")).toThrow("no feedback");
  });

  it("the app is taken out and put in again, and somebody reacts", async () => {
    await Promise.all(fake.uninstall("eng", "alice").map(({ done }) => done));
    expect((await bot.post(conversationOf(fake.world, "eng").id, { type: "message", text: "a" })).status).toBe(403);
    await Promise.all(fake.install("eng", "alice").map(({ done }) => done));
    const id = await write("eng", { text: "back" });
    await fake.react(id, "bob", "heart").done;
    expect(heard.map(({ type, action }) => String(action ?? type)).toSorted()).toEqual([
      "add",
      "conversationUpdate",
      "conversationUpdate",
      "messageReaction",
      "remove",
    ]);
  });

  it("what the bot wrote is deleted by somebody, and its next edit is lost", async () => {
    const id = await write("group", { text: "status" });
    fake.deleteForBot(id);
    const path = `v3/conversations/${encodeURIComponent("19:0000group@thread.v2")}/activities/${id}`;
    expect((await bot.connector("PUT", path, { type: "message", text: "more" })).status).toBe(404);
  });

  it("waits for what happens, and says what did not", async () => {
    const waiting = fake.until("the answer", () => fake.written("alice")[0]);
    await write("alice", { text: "here" });
    expect((await waiting).wire).toMatchObject({ text: "here" });
    await expect(fake.until("a miracle", () => null, 1)).rejects.toThrow("a miracle");
  });
});
