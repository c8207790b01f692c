import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { request, type RestBot, restBot } from "./rest-bot.ts";
import { DOCUMENTED_THROTTLES } from "./throttles.ts";
import { conversationOf } from "./world.ts";

let fake: FakeTeams;
let bot: RestBot;
beforeEach(async () => {
  fake = await startFakeTeams();
  bot = restBot(fake);
});
afterEach(() => fake.close());

const idOf = (key: string) => conversationOf(fake.world, key).id;
const say = (key: string, text = "hello") => bot.post(idOf(key), { type: "message", text });
const at = (key: string, activity: unknown) =>
  `v3/conversations/${encodeURIComponent(idOf(key))}/activities/${String(activity)}`;

describe("who calls", () => {
  it("needs a token that the token endpoint gave out for the connector, still valid", async () => {
    const url = `${fake.serviceUrl}v3/conversations/${idOf("alice")}/activities`;
    const hello = { type: "message", text: "hello" };
    const as = async (token: string) =>
      (await request("POST", url, hello, { authorization: `Bearer ${token}` })).status;
    expect((await request("POST", url, hello)).status).toBe(401);
    expect(await as("junk")).toBe(401);
    expect(await as(await bot.token("graph"))).toBe(401);
    const token = await bot.token("connector");
    expect(await as(token)).toBe(201);
    fake.clock.advance(3_600_000);
    expect(await as(token)).toBe(401);
    expect(fake.violations).toEqual(["send: a token for graph was sent to connector"]);
  });

  it("may be anybody when the bot has no credentials", async () => {
    const open = await startFakeTeams({ anonymous: true });
    const url = `${open.serviceUrl}v3/conversations/${idOf("alice")}/activities`;
    expect((await request("POST", url, { type: "message", text: "hello" })).status).toBe(201);
    await open.close();
  });
});

describe("an activity", () => {
  it("is kept as it came, and edited and deleted by its id", async () => {
    const { body } = await say("alice", "one");
    expect((await bot.connector("PUT", at("alice", body["id"]), { type: "message", text: "two" })).status).toBe(200);
    expect(fake.written("alice")[0]?.versions.map(({ text }) => text)).toEqual(["one", "two"]);
    expect((await bot.connector("DELETE", at("alice", body["id"]))).status).toBe(200);
    expect(fake.written("alice")).toEqual([]);
    const again = await bot.connector("PUT", at("alice", body["id"]), { type: "message", text: "three" });
    expect(again).toMatchObject({ status: 404, code: "ActivityNotFoundInConversation" });
  });

  it("in a channel begins a thread or belongs to one, which must exist", async () => {
    const root = await say("eng", "root");
    const thread = `${idOf("eng")};messageid=${String(root.body["id"])}`;
    await bot.post(thread, { type: "message", text: "reply" });
    expect(fake.written("eng", String(root.body["id"])).map(({ wire }) => wire["text"])).toEqual(["root", "reply"]);
    expect((await bot.post(`${idOf("eng")};messageid=1`, { type: "message", text: "?" })).status).toBe(404);
    expect((await bot.post(`${idOf("group")};messageid=1`, { type: "message", text: "?" })).status).toBe(400);
  });

  it.each([
    ["a field that no activity has", { type: "message", text: "a", colour: "red" }],
    ["nothing in it", { type: "message", text: " " }],
    ["another type", { type: "event", name: "a" }],
    ["words in typing", { type: "typing", text: "a" }],
    ["an entity without type", { type: "message", text: "a", entities: [{ text: "a" }] }],
    ["an entity that bots don't send", { type: "message", text: "a", entities: [{ type: "clientInfo" }] }],
    ["a mention that is not in the text", { type: "message", text: "a", entities: [mentionOf("29:1-alice")] }],
    ["a mention of a stranger", { type: "message", text: "<at>X</at>", entities: [mentionOf("29:1-zoe")] }],
    [
      "a file as a data URI",
      { type: "message", attachments: [{ contentType: "text/csv", contentUrl: "data:text/csv;base64,YQ==" }] },
    ],
    [
      "an attachment that is no card",
      { type: "message", attachments: [{ contentType: "application/pdf", contentUrl: "https://x.test/a" }] },
    ],
    ["a citation that is not in the text", { type: "message", text: "a", entities: [labelOf([1])] }],
    ["two labels", { type: "message", text: "a", entities: [labelOf([]), labelOf([])] }],
  ])("with %s is refused, and that is a violation", async (_, activity) => {
    expect((await bot.post(idOf("alice"), activity)).status).toBe(400);
    expect(fake.violations).toHaveLength(1);
    expect(fake.written("alice")).toEqual([]);
  });

  it("may have labels, citations, mentions, pictures and feedback", async () => {
    const picture = { contentType: "image/png", contentUrl: "data:image/png;base64,iVBORw0KGgo=", name: "chart.png" };
    const text = "<at>X</at> see [1]";
    const entities = [labelOf([1]), mentionOf("29:1-alice")];
    const channelData = { feedbackLoop: { type: "default" } };
    await bot.post(idOf("alice"), { type: "message", text, entities, attachments: [picture], channelData });
    expect(fake.violations).toEqual([]);
    expect(fake.written("alice")[0]?.wire["entities"]).toEqual(entities);
  });

  it("is too large by its UTF-16, in which pictures don't count", async () => {
    expect(await say("alice", "x".repeat(41_000))).toMatchObject({ status: 413, code: "MessageSizeTooBig" });
    const contentUrl = `data:image/png;base64,${"A".repeat(100_000)}`;
    const attachments = [{ contentType: "image/png", contentUrl }];
    expect((await bot.post(idOf("alice"), { type: "message", attachments })).status).toBe(201);
  });

  it("that a person wrote is not the bot's to change", async () => {
    const { id } = fake.say({ kind: "personal", user: "alice", text: "mine" });
    expect((await bot.connector("DELETE", at("alice", id))).status).toBe(403);
  });
});

describe("a conversation", () => {
  it("is unknown, or the bot is not in it, or it is blocked", async () => {
    expect(await bot.post("19:nowhere@thread.v2", { type: "message", text: "a" })).toMatchObject({ status: 404 });
    expect(await say("out")).toMatchObject({ status: 403, code: "BotNotInConversationRoster" });
    fake.block("bob");
    expect(await say("bob")).toMatchObject({ status: 403, code: "ConversationBlockedByUser" });
    expect(fake.violations).toEqual([]);
  });

  it("tells its members, one and in pages", async () => {
    const group = `v3/conversations/${encodeURIComponent(idOf("group"))}`;
    const alice = conversationOf(fake.world, "alice").members[0];
    const one = await bot.connector("GET", `${group}/members/${alice?.aadObjectId}`);
    expect(one.body).toMatchObject({ id: alice?.id, aadObjectId: alice?.aadObjectId, email: "alice@acme.test" });
    expect((await bot.connector("GET", `${group}/members/29:1-zoe`)).status).toBe(404);
    const first = await bot.connector("GET", `${group}/pagedmembers?pageSize=2`);
    const rest = await bot.connector(
      "GET",
      `${group}/pagedmembers?pageSize=2&continuationToken=${String(first.body["continuationToken"])}`,
    );
    expect([first.body["members"], rest.body["members"]]).toMatchObject([{ length: 2 }, { length: 1 }]);
    expect(rest.body).not.toHaveProperty("continuationToken");
  });

  it("is made: a thread in a channel, a chat with somebody", async () => {
    const activity = { type: "message", text: "news" };
    const channel = { channelData: { channel: { id: idOf("eng") } }, isGroup: true, activity };
    const thread = await bot.connector("POST", "v3/conversations", channel);
    expect(thread.body["id"]).toBe(`${idOf("eng")};messageid=${String(thread.body["activityId"])}`);
    const members = [{ id: "29:1-gustav" }];
    const chat = await bot.connector("POST", "v3/conversations", { members, tenantId: fake.tenantId, activity });
    expect(chat.status).toBe(201);
    expect(fake.written("gustav")).toHaveLength(1);
    expect((await bot.connector("POST", "v3/conversations", { members })).status).toBe(400);
  });

  it("shows a targeted message to one person, and never in personal chats", async () => {
    const targeted = { type: "message", text: "psst", recipient: { id: "29:1-bob" } };
    const query = "?isTargetedActivity=true";
    const { body } = await bot.post(idOf("group"), targeted, query);
    expect(fake.written("group")[0]?.targetedTo?.key).toBe("bob");
    expect((await bot.connector("PUT", at("group", body["id"]), targeted)).status).toBe(400);
    expect((await bot.connector("PUT", `${at("group", body["id"])}${query}`, targeted)).status).toBe(200);
    expect((await bot.post(idOf("bob"), targeted, query)).status).toBe(400);
    expect((await bot.post(idOf("group"), { type: "message", text: "psst" }, query)).status).toBe(400);
  });
});

describe("what goes wrong on purpose", () => {
  it("before the effect, after it, or in place of an answer", async () => {
    void fake.fail("send", { type: "reset", when: "before" });
    await expect(say("alice", "lost")).rejects.toThrow();
    void fake.fail("send", { type: "reset", when: "after" });
    await expect(say("alice", "answer lost")).rejects.toThrow();
    void fake.fail("*", { type: "http", status: 502 }, { times: 1, conversation: idOf("alice") });
    expect((await say("bob", "elsewhere")).status).toBe(201);
    expect((await say("alice", "gateway")).status).toBe(502);
    void fake.fail("send", { type: "throttled", retryAfterSeconds: 7 });
    expect((await say("alice", "slowly")).headers.get("retry-after")).toBe("7");
    void fake.fail("send", { type: "refuse", status: 412, code: "PreconditionFailed" });
    expect(await say("alice", "no")).toMatchObject({ status: 412, code: "PreconditionFailed" });
    expect(fake.written("alice").map(({ wire }) => wire["text"])).toEqual(["answer lost"]);
  });

  it("a thread's limits, by the fake's clock", async () => {
    fake.limit(DOCUMENTED_THROTTLES);
    for (let count = 0; count < 7; count += 1) expect((await say("alice")).status).toBe(201);
    const eighth = await say("alice");
    expect([eighth.status, eighth.headers.get("retry-after")]).toEqual([429, "1"]);
    expect((await say("bob")).status).toBe(201);
    fake.clock.advance(2_000);
    expect((await say("alice")).status).toBe(201);
  });
});

function mentionOf(id: string) {
  return { type: "mention", text: "<at>X</at>", mentioned: { id, name: "X" } };
}

function labelOf(positions: number[]) {
  const appearance = { "@type": "DigitalDocument", name: "A page", url: "https://x.test/a", abstract: "About it." };
  const citation = positions.map((position) => ({ "@type": "Claim", position, appearance }));
  const head = { type: "https://schema.org/Message", "@type": "Message", "@context": "https://schema.org", "@id": "" };
  return { ...head, additionalType: ["AIGeneratedContent"], ...(citation.length > 0 && { citation }) };
}
