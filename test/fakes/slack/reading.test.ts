import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BOT_SCOPES } from "../../../bots/slack/requirements.ts";
import { slackClient, slackErrorOf } from "../../support/slack-client.ts";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";

let fake: FakeSlack;
beforeAll(async () => {
  fake = await startFakeSlack({ scopes: [...BOT_SCOPES.map(({ scope }) => scope), "channels:read"] });
});
afterAll(() => fake.close());

describe("a thread", () => {
  it("is read in pages, with metadata only for those who ask", async () => {
    const client = slackClient(fake);
    const metadata = { event_type: "m", event_payload: { a: 1 } };
    const { ts = "" } = await client.chat.postMessage({ channel: "C01ENG", text: "root", metadata });
    for (const text of ["one", "two", "three", "four", "five"])
      await client.chat.postMessage({ channel: "C01ENG", text, thread_ts: ts });
    const page = { channel: "C01ENG", ts, limit: 2 };
    const first = await client.conversations.replies({ ...page, include_all_metadata: true });
    const cursor = first.response_metadata?.next_cursor ?? "";
    const second = await client.conversations.replies({ ...page, cursor });
    const third = await client.conversations.replies({ ...page, cursor: second.response_metadata?.next_cursor ?? "" });
    const texts = [first, second, third].map(({ messages }) => messages?.map(({ text }) => text));
    expect(texts).toEqual([
      ["root", "one", "two"],
      ["three", "four"],
      ["root", "five"],
    ]);
    expect(first.messages?.[0]?.metadata).toEqual(metadata);
    expect(third.messages?.[0]).not.toHaveProperty("metadata");
    expect(third.has_more).toBe(false);
  });

  it("does not show in the channel's history, which is newest first", async () => {
    const client = slackClient(fake, "xoxb-beta");
    const { ts = "" } = await client.chat.postMessage({ channel: "C21GEN", text: "old" });
    await client.chat.postMessage({ channel: "C21GEN", text: "reply", thread_ts: ts });
    await client.chat.postMessage({ channel: "C21GEN", text: "new" });
    const { messages = [] } = await client.conversations.history({ channel: "C21GEN" });
    expect(messages.map(({ text }) => text)).toEqual(["new", "old"]);
    const later = await client.conversations.history({ channel: "C21GEN", oldest: ts });
    expect(later.messages?.map(({ text }) => text)).toEqual(["new"]);
  });

  it("keeps a tombstone when its root is deleted", async () => {
    const client = slackClient(fake);
    const { ts = "" } = await client.chat.postMessage({ channel: "C01ENG", text: "root" });
    await client.chat.postMessage({ channel: "C01ENG", text: "reply", thread_ts: ts });
    await client.chat.delete({ channel: "C01ENG", ts });
    const { messages } = await client.conversations.replies({ channel: "C01ENG", ts });
    expect(messages).toMatchObject([{ subtype: "tombstone" }, { text: "reply" }]);
  });
});

describe("people", () => {
  it.each([
    ["U01ALICE", { is_restricted: false, is_ultra_restricted: false, profile: { email: "alice@acme.test" } }],
    ["U03GUEST", { is_restricted: true, is_ultra_restricted: false }],
    ["U04ULTRA", { is_restricted: true, is_ultra_restricted: true }],
    ["U91STRANGER", { is_stranger: true, team_id: "T09OTHER", profile: { real_name: "Sam" } }],
  ])("%s", async (user, expected) => {
    expect((await slackClient(fake).users.info({ user })).user).toMatchObject(expected);
  });

  it("an outsider's address is not told", async () => {
    const { user } = await slackClient(fake).users.info({ user: "U91STRANGER" });
    expect(user?.profile).not.toHaveProperty("email");
  });

  it("of an enterprise have its token and its ids", async () => {
    const grid = slackClient(fake, "xoxb-grid");
    expect(await grid.auth.test()).toMatchObject({ is_enterprise_install: true, enterprise_id: "E01GRID" });
    expect((await grid.users.info({ user: "W31DANA" })).user).toMatchObject({
      enterprise_user: { enterprise_id: "E01GRID" },
    });
    expect((await grid.conversations.info({ channel: "C31GRID" })).channel).toMatchObject({ is_org_shared: true });
    const other = grid.apiCall("users.info", { user: "W31DANA", team_id: "T01ACME" });
    expect(await slackErrorOf(other)).toBe("team_access_not_granted");
  });
});

describe("files", () => {
  it("that people sent are downloaded with a token, and are a page without", async () => {
    const { ts } = fake.say({
      channel: "C01ENG",
      user: "U01ALICE",
      text: "",
      files: [{ name: "a.csv", bytes: Buffer.from("1,2") }],
    });
    const { messages } = await slackClient(fake).conversations.replies({ channel: "C01ENG", ts });
    const url = messages?.[0]?.files?.[0]?.url_private_download ?? "";
    const get = async (token: string) => (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).text();
    expect(await get("xoxb-acme")).toBe("1,2");
    expect(await get("xoxb-beta")).toContain("<html>");
    expect(await get("")).toContain("<html>");
  });

  it("that the app sends come as one message, after the answer", async () => {
    const { ts } = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "send me two" });
    const file_uploads = ["a", "b"].map((name) => ({ file: Buffer.from(name), filename: `${name}.txt` }));
    await slackClient(fake).files.uploadV2({
      channel_id: "C01ENG",
      thread_ts: ts,
      initial_comment: "Here.",
      file_uploads,
    });
    const message = await fake.until("the files", () =>
      fake.thread("C01ENG", ts).find(({ fileIds }) => fileIds.length > 0),
    );
    expect(message).toMatchObject({ text: "Here.", threadTs: ts, subtype: "file_share" });
    expect(message.fileIds.map((id) => fake.world.files.get(id)?.bytes.toString())).toEqual(["a", "b"]);
    const { file } = await slackClient(fake).files.info({ file: message.fileIds[0] ?? "" });
    expect(file?.shares?.public?.["C01ENG"]?.[0]?.ts).toBe(message.ts);
  });

  it("are as long as was said", async () => {
    const before = fake.violations.length;
    const { upload_url = "" } = await slackClient(fake).files.getUploadURLExternal({ filename: "a.txt", length: 5 });
    expect((await fetch(upload_url, { method: "POST", body: "four" })).status).toBe(400);
    expect(fake.violations).toHaveLength(before + 1);
  });
});

describe("installing", () => {
  it("exchanges a code once, and each refresh token once; tokens expire", async () => {
    const rotating = await startFakeSlack({ tokenLifetimeSeconds: 43_200 });
    const installation = rotating.world.installations[0];
    if (!installation) throw new Error("nothing is installed");
    const redirectUri = "https://bot.test/slack/oauth_redirect";
    const code = rotating.authorize({ installation, redirectUri, user: "U01ALICE" });
    const { clientId: client_id, clientSecret: client_secret } = rotating;
    const client = slackClient(rotating, "");
    const exchange = () => client.oauth.v2.access({ client_id, client_secret, code, redirect_uri: redirectUri });
    const installed = await exchange();
    expect(installed).toMatchObject({ expires_in: 43_200, team: { id: "T01ACME" }, authed_user: { id: "U01ALICE" } });
    expect(await slackErrorOf(exchange())).toBe("invalid_code");

    await slackClient(rotating, installed.access_token).auth.test();
    rotating.clock.advance(43_200_000);
    expect(await slackErrorOf(slackClient(rotating, installed.access_token).auth.test())).toBe("token_expired");

    const refresh = {
      client_id,
      client_secret,
      grant_type: "refresh_token" as const,
      refresh_token: installed.refresh_token ?? "",
    };
    const renewed = await client.oauth.v2.access(refresh);
    await slackClient(rotating, renewed.access_token).auth.test();
    expect(await slackErrorOf(client.oauth.v2.access(refresh))).toBe("invalid_refresh_token");
    await rotating.close();
  });

  it("ends with the app's removal", async () => {
    const removed = await startFakeSlack();
    removed.revokeTokens("T02BETA");
    expect(await slackErrorOf(slackClient(removed, "xoxb-beta").auth.test())).toBe("token_revoked");
    removed.uninstall("T01ACME");
    expect(await slackErrorOf(slackClient(removed).auth.test())).toBe("account_inactive");
    await removed.close();
  });
});
