import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { recordOf } from "./record-of.ts";
import { request, type RestBot, restBot } from "./rest-bot.ts";
import { conversationOf } from "./world.ts";

let fake: FakeTeams;
let bot: RestBot;
let server: Server;
/** What came to the bot's endpoint, and what it answers with. */
let heard: Record<string, unknown>[];
let answers: { status: number; body?: unknown }[];

beforeEach(async () => {
  heard = [];
  answers = [];
  server = createServer((request, response) => {
    void json(request).then((activity) => {
      heard.push(recordOf(activity));
      const { status, body } = answers.shift() ?? { status: 200 };
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const deliverTo = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/messages`);
  fake = await startFakeTeams({ deliverTo, redeliveryDelaysMs: [0] });
  bot = restBot(fake);
});
afterEach(async () => {
  await fake.close();
  server.closeAllConnections();
  server.close();
});

const write = async (key: string, activity: Record<string, unknown>) =>
  String((await bot.post(conversationOf(fake.world, key).id, { type: "message", ...activity })).body["id"]);
const cardOf = (content: Record<string, unknown>) => ({
  attachments: [
    {
      contentType: "application/vnd.microsoft.card.adaptive",
      content: { type: "AdaptiveCard", version: "1.5", ...content },
    },
  ],
});
const STOP = {
  type: "Action.Execute",
  title: "Stop",
  verb: "stop",
  data: { run: 7 },
  fallback: { type: "Action.Submit", title: "Stop", data: { verb: "stop", run: 7 } },
};

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
    answers.push({ status: 500 }, { status: 200 }, { status: 401 });
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

describe("a press", () => {
  it("of Action.Execute is an invoke, whose card only the one who pressed sees", async () => {
    const activityId = await write("group", cardOf({ actions: [STOP] }));
    const value = { type: "AdaptiveCard", version: "1.5" };
    answers.push({ status: 200, body: { statusCode: 200, type: "application/vnd.microsoft.card.adaptive", value } });
    const pressed = fake.press({ activityId, user: "bob", action: "stop", inputs: { why: "late" } });
    expect(await pressed.done).toMatchObject({ status: 200, body: { statusCode: 200 } });
    const action = { type: "Action.Execute", verb: "stop", data: { run: 7, why: "late" } };
    expect(heard).toMatchObject([
      { type: "invoke", name: "adaptiveCard/action", replyToId: activityId, value: { action } },
    ]);
    expect([...(fake.written("group")[0]?.views ?? [])]).toEqual([["29:1-bob", value]]);
  });

  it("on an old client is a message with the fallback's data and no text", async () => {
    const activityId = await write("eng", cardOf({ actions: [STOP] }));
    await fake.press({ activityId, user: "bob", action: "Stop", asSubmit: true }).done;
    expect(heard).toMatchObject([{ type: "message", replyToId: activityId, value: { verb: "stop", run: 7 } }]);
    expect(heard[0]).not.toHaveProperty("text");
    expect(heard[0]?.["conversation"]).toMatchObject({ id: expect.stringContaining(`;messageid=${activityId}`) });
  });

  it("needs a button", async () => {
    const activityId = await write("group", cardOf({ actions: [STOP] }));
    expect(() => fake.press({ activityId, user: "bob", action: "go" })).toThrow("no button go, but stop");
  });
});

describe("a file consent card", () => {
  const ask = () =>
    write("alice", {
      attachments: [
        {
          contentType: "application/vnd.microsoft.teams.card.file.consent",
          name: "report.csv",
          content: { description: "A report", sizeInBytes: 3, acceptContext: { file: 1 }, declineContext: { file: 2 } },
        },
      ],
    });

  it("accepted, has somewhere to upload to, and a card to end with", async () => {
    await fake.consent(await ask(), "alice", "accept").done;
    const { action, context, uploadInfo } = recordOf(heard[0]?.["value"]);
    expect([heard[0]?.["name"], action, context]).toEqual(["fileConsent/invoke", "accept", { file: 1 }]);
    const { uploadUrl, uniqueId, fileType, contentUrl, name } = recordOf(uploadInfo);
    const stored = await request("PUT", String(uploadUrl), Buffer.from("a,b"), { "content-range": "bytes 0-2/3" });
    expect(stored.status).toBe(201);
    expect(fake.world.items[0]).toMatchObject({ name: "report.csv", uniqueId });
    const info = { contentType: "application/vnd.microsoft.teams.card.file.info", contentUrl, name };
    await write("alice", { attachments: [{ ...info, content: { uniqueId, fileType } }] });
    expect(fake.violations).toEqual([]);
  });

  it("takes as many bytes as it said", async () => {
    await fake.consent(await ask(), "alice", "accept").done;
    const { uploadUrl } = recordOf(recordOf(heard[0]?.["value"])["uploadInfo"]);
    const wrong = await request("PUT", String(uploadUrl), Buffer.from("a"), { "content-range": "bytes 0-0/1" });
    expect(wrong.status).toBe(400);
  });

  it("declined, says so", async () => {
    await fake.consent(await ask(), "alice", "decline").done;
    expect(heard[0]?.["value"]).toEqual({ type: "fileUpload", action: "decline", context: { file: 2 } });
  });

  it("has no place outside personal chats", async () => {
    const content = { description: "A report", sizeInBytes: 3 };
    const contentType = "application/vnd.microsoft.teams.card.file.consent";
    await write("group", { attachments: [{ contentType, name: "report.csv", content }] });
    expect(fake.violations).toHaveLength(1);
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
