import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { request, type RestBot, restBot } from "./rest-bot.ts";
import { conversationOf } from "./world.ts";

let fake: FakeTeams;
let bot: RestBot;
beforeEach(async () => {
  fake = await startFakeTeams();
  bot = restBot(fake);
});
afterEach(() => fake.close());

const PART = 320 * 1024;
const channelPath = (key: string) => {
  const { id, team } = conversationOf(fake.world, key);
  return `teams/${team?.aadGroupId}/channels/${encodeURIComponent(id)}`;
};
const put = (url: unknown, bytes: Buffer, range: string, headers: Record<string, string> = {}) =>
  request("PUT", String(url), bytes, { "content-range": range, ...headers });

describe("Graph", () => {
  it("wants a permission, in the tenant whose data it is", async () => {
    const folder = `${channelPath("eng")}/filesFolder`;
    expect(await bot.graph("GET", folder)).toMatchObject({ status: 403, code: "Forbidden" });
    fake.permit("File.Read.Group");
    expect((await bot.graph("GET", folder)).body).toMatchObject({
      id: "folder-eng",
      parentReference: { driveId: "b!drive-1" },
    });
    expect((await bot.graph("GET", `${channelPath("other")}/filesFolder`)).status).toBe(404);
    expect((await bot.graph("PUT", "drives/b!drive-1/items/folder-eng:/a.csv:/content", "a")).status).toBe(403);
    expect((await bot.graph("GET", "me/drive")).status).toBe(400);
  });

  it("puts a small file into a folder, and says when it replaced one", async () => {
    fake.permit("Files.ReadWrite.All");
    const path = "drives/b!drive-1/items/folder-eng:/a.csv:/content";
    const { status, body } = await bot.graph("PUT", path, Buffer.from("one"));
    expect([status, body["name"], body["size"]]).toEqual([201, "a.csv", 3]);
    expect(body["eTag"]).toMatch(/^"\{[0-9A-F-]{36}\},1"$/);
    expect((await bot.graph("PUT", path, Buffer.from("two"))).status).toBe(200);
    const kept = await bot.graph("PUT", `${path}?@microsoft.graph.conflictBehavior=rename`, Buffer.from("three"));
    expect(kept.body["name"]).toBe("a 1.csv");
    const refused = await bot.graph("PUT", `${path}?@microsoft.graph.conflictBehavior=fail`, Buffer.from("four"));
    expect(refused).toMatchObject({ status: 409, code: "nameAlreadyExists" });
  });

  it("takes a large file in parts: multiples of 320 KiB, in order", async () => {
    fake.permit("Files.ReadWrite.All");
    const { body } = await bot.graph("POST", "drives/b!drive-1/items/folder-eng:/big.bin:/createUploadSession", {});
    const bytes = Buffer.alloc(PART + 10, 7);
    const total = bytes.length;
    const first = await put(body["uploadUrl"], bytes.subarray(0, PART), `bytes 0-${PART - 1}/${total}`);
    expect([first.status, first.body["nextExpectedRanges"]]).toEqual([202, [`${PART}-`]]);
    expect((await put(body["uploadUrl"], bytes.subarray(0, PART), `bytes 0-${PART - 1}/${total}`)).status).toBe(416);
    expect(fake.violations).toEqual([]);
    expect(
      (await put(body["uploadUrl"], bytes.subarray(PART, PART + 5), `bytes ${PART}-${PART + 4}/${total}`)).status,
    ).toBe(400);
    expect(fake.violations.splice(0)).toHaveLength(1);
    expect((await request("GET", String(body["uploadUrl"]))).body["nextExpectedRanges"]).toEqual([`${PART}-`]);
    const last = await put(body["uploadUrl"], bytes.subarray(PART), `bytes ${PART}-${total - 1}/${total}`);
    expect([last.status, last.body["size"]]).toEqual([201, total]);
    expect(fake.world.items.find(({ name }) => name === "big.bin")?.bytes.equals(bytes)).toBe(true);
  });

  it.each([
    ["no range", ""],
    ["a range that is not its length", "bytes 0-9/10"],
    ["a range past its end", "bytes 0-2/2"],
  ])("refuses a part with %s", async (_, range) => {
    fake.permit("Files.ReadWrite.All");
    const { body } = await bot.graph("POST", "drives/b!drive-1/items/folder-eng:/a.bin:/createUploadSession", {});
    expect((await put(body["uploadUrl"], Buffer.from("abc"), range)).status).toBe(400);
    expect(fake.violations).toHaveLength(1);
  });

  it("shows a channel's thread and a chat, newest first and in pages, with what was attached", async () => {
    const root = fake.say({
      kind: "channel",
      user: "alice",
      text: "look",
      files: [{ name: "a.csv", bytes: Buffer.from("a") }],
    });
    for (const text of ["one", "two", "three"])
      fake.say({ kind: "channel", user: "bob", text, rootId: root.id, mention: false });
    fake.say({ kind: "groupChat", user: "bob", text: "in the group" });
    const thread = `${channelPath("eng")}/messages/${root.id}`;
    expect((await bot.graph("GET", thread)).status).toBe(403);
    fake.permit("ChannelMessage.Read.Group");
    fake.permit("ChatMessage.Read.Chat");
    const { body } = await bot.graph("GET", thread);
    expect(body["attachments"]).toMatchObject([{ contentType: "reference", name: "a.csv" }]);
    expect(body["from"]).toMatchObject({ user: { displayName: "Alice Acme" } });
    const page = await bot.graph("GET", `${thread}/replies?$top=2`);
    expect(page.body["value"]).toMatchObject([
      { body: { content: "<p>three</p>" } },
      { body: { content: "<p>two</p>" } },
    ]);
    const next = await bot.graph("GET", String(page.body["@odata.nextLink"]).replace(`${fake.graphUrl}/`, ""));
    expect(next.body["value"]).toMatchObject([{ body: { content: "<p>one</p>" }, replyToId: root.id }]);
    const chat = await bot.graph("GET", `chats/${encodeURIComponent("19:0000group@thread.v2")}/messages`);
    expect(chat.body["value"]).toMatchObject([{ body: { content: expect.stringContaining("in the group") } }]);
  });

  it("finds what was shared by its address, and sends on to a download that takes no token", async () => {
    fake.permit("Files.Read.All");
    fake.say({ kind: "channel", user: "alice", text: "look", files: [{ name: "a.csv", bytes: Buffer.from("a,b") }] });
    const share = `u!${Buffer.from(fake.world.items[0]?.webUrl ?? "").toString("base64url")}`;
    const found = await bot.graph("GET", `shares/${share}/driveItem/content`);
    expect(found.status).toBe(302);
    const location = String(found.headers.get("location"));
    expect((await request("GET", location, undefined, { authorization: "Bearer x" })).status).toBe(401);
    expect((await request("GET", location)).body).toEqual({ text: "a,b" });
    fake.clock.advance(5 * 60_000);
    expect((await request("GET", location)).status).toBe(401);
    expect(fake.violations).toEqual(["download: a token was sent to a download URL"]);
  });

  it("tells who somebody is, if it may", async () => {
    const id = conversationOf(fake.world, "alice").members[0]?.aadObjectId;
    expect((await bot.graph("GET", `users/${id}`)).status).toBe(403);
    fake.permit("User.Read.All");
    expect((await bot.graph("GET", `users/${id}`)).body).toMatchObject({
      displayName: "Alice Acme",
      mail: "alice@acme.test",
    });
  });
});

describe("a person's files", () => {
  it("come in personal chats as a download for a few minutes, and pictures for the bot's token", async () => {
    const files = [
      { name: "a.csv", bytes: Buffer.from("a,b") },
      { name: "b.png", bytes: Buffer.from("png"), inline: true },
    ];
    const said = fake.say({ kind: "personal", user: "alice", text: "look", files });
    const [file, picture] = Object(said.sent?.delivery.activity)["attachments"];
    expect(file).toMatchObject({ contentType: "application/vnd.microsoft.teams.file.download.info", name: "a.csv" });
    expect((await request("GET", file.content.downloadUrl)).body).toEqual({ text: "a,b" });
    expect((await request("GET", picture.contentUrl)).status).toBe(401);
    const path = String(picture.contentUrl).replace(fake.serviceUrl, "");
    expect((await bot.connector("GET", path)).body).toEqual({ text: "png" });
  });

  it("come in channels and groups as a stub that names nothing", () => {
    const said = fake.say({
      kind: "groupChat",
      user: "alice",
      text: "look",
      files: [{ name: "a.csv", bytes: Buffer.from("a") }],
    });
    expect(Object(said.sent?.delivery.activity)["attachments"]).toMatchObject([{ contentType: "text/html" }]);
  });
});
