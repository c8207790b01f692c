import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cardActionData } from "../../../bots/teams/card-actions.ts";
import { unsealFile } from "../../../bots/teams/attachment-ref.ts";
import type { TeamsCore } from "../../../bots/teams/handlers/handler-deps.ts";
import { teamsThreadKey } from "../../../bots/teams/teams-thread.ts";
import { type FakeTeams, startFakeTeams } from "../../fakes/teams-connector.ts";
import { TOKEN_DEFECTS } from "../../fakes/teams/channel-tokens.ts";
import { startTeamsRig, type TeamsEndpointRig } from "../../support/teams-endpoint-rig.ts";

const ENG = "19:0000eng@thread.tacv2";
const GROUP = "19:0000group@thread.v2";
const ALICE = "aad00000-0000-4000-8000-000000000001";
const BOB = "aad00000-0000-4000-8000-000000000002";
const SIGNAL = new AbortController().signal;

let fake: FakeTeams;
let rig: TeamsEndpointRig;

const YOU_SAID: TeamsCore["runSlash"] = async ({ text }) => ({
  type: "notice",
  level: "info",
  markdown: `You said ${text}.`,
});
let runSlash = YOU_SAID;

const core: Partial<TeamsCore> = {
  runSlash: (call, signal) => runSlash(call, signal),
  othersWhoDecide: async (_, personId) => (personId === ALICE ? null : [ALICE]),
};

beforeAll(async () => {
  fake = await startFakeTeams({ redeliveryDelaysMs: [0], hearsEverything: true });
  rig = await startTeamsRig(fake, { allowedTenants: [fake.tenantId], core });
});
afterEach(async () => {
  await rig.clear();
  if (fake.violations.length > 0) throw new Error(fake.violations.join("\n"));
});
afterAll(async () => {
  await rig?.stop();
  await fake?.close();
});

const key = (conversation: string, root: string | null = null) => teamsThreadKey(fake.tenantId, conversation, root);
const inEngineering = async (text: string, more: { rootId?: string; mention?: boolean; user?: string } = {}) => {
  const said = fake.say({ kind: "channel", user: "alice", text, ...more });
  await said.done;
  return said;
};

describe("who may speak", () => {
  it.each(TOKEN_DEFECTS)("answers 401 and looks at nothing when the token is: %s", async (token) => {
    const said = fake.say({ user: "alice", text: "let me in", token });
    expect(await said.done).toMatchObject({ status: 401 });
    expect(await rig.kept()).toEqual([]);
    expect(await rig.conversations.find(`teams:${fake.tenantId}:a:personal-alice`)).toBeNull();
  });

  it.each([
    ["another channel, whose tokens are bound to no serviceUrl", { channelId: "AseChannel" }],
    ["the emulator", { channelId: "emulator" }],
    ["a serviceUrl that the token is not about", { serviceUrl: "https://elsewhere.example/" }],
    ["no serviceUrl at all", { serviceUrl: undefined }],
  ])("answers 401 to an activity of %s", async (_, over) => {
    const change = (activity: Record<string, unknown>) => ({ ...activity, ...over });
    expect(await fake.say({ user: "alice", text: "let me in", change }).done).toMatchObject({ status: 401 });
    expect(await rig.kept()).toEqual([]);
  });

  it("keeps nothing of a tenant that is not allowed, and has Teams forget it", async () => {
    expect(await fake.say({ user: "zoe", text: "let me in" }).done).toMatchObject({ status: 200 });
    expect(await rig.kept()).toEqual([]);
  });

  it("refuses what is no JSON, and what is too long", async () => {
    const post = (body: string, type: string) =>
      fetch(rig.url, { method: "POST", body, headers: { "content-type": type } });
    expect((await post("{", "application/json")).status).toBe(400);
    expect((await post("{}", "text/plain")).status).toBe(415);
    expect((await post(JSON.stringify("x".repeat(1024 * 1024)), "application/json")).status).toBe(413);
  });
});

describe("messages", () => {
  it("keeps a mention in a channel under its root, and the replies to it with it", async () => {
    const first = await inEngineering("make a report");
    await inEngineering("with charts", { rootId: first.id, mention: false, user: "bob" });
    const thread = key(ENG, first.id);
    expect(await rig.kept()).toMatchObject([
      { thread, messageId: first.id, item: { type: "message", text: "make a report", addressed: true } },
      { thread, item: { personId: BOB, text: "with charts", addressed: false } },
    ]);
  });

  it("does not keep what people say to each other", async () => {
    const first = await inEngineering("lunch?", { mention: false });
    await inEngineering("yes", { mention: false, rootId: first.id });
    await fake.say({ kind: "groupChat", user: "bob", text: "lunch?", mention: false }).done;
    expect(await rig.kept()).toEqual([]);
  });

  it("keeps a message once, however often and with whatever timestamp it is delivered", async () => {
    const said = await inEngineering("make a report");
    const { delivery } = said.sent ?? expect.fail("The bot was not told.");
    await Promise.all([fake.redeliver(delivery), fake.redeliver(delivery, { timestamp: "2026-11-22T00:00:00Z" })]);
    expect(await rig.kept()).toHaveLength(1);
  });

  it("has one thread for a group chat and one for a personal chat", async () => {
    await fake.say({ kind: "groupChat", user: "alice", text: "hello" }).done;
    await fake.say({ user: "alice", text: "hello" }).done;
    expect((await rig.kept()).map(({ thread }) => thread)).toEqual([key(GROUP), key("a:personal-alice")]);
  });

  it.each(["stop", "/stop", "/deckhand stop", "STOP!"])("keeps %j as a stop", async (text) => {
    await fake.say({ user: "alice", text }).done;
    expect(await rig.kept()).toMatchObject([{ item: { type: "stop", personId: ALICE } }]);
  });

  it("answers 503 while the database is away, and keeps what is delivered again", async () => {
    await rig.testDatabase.allowConnections(false);
    const said = fake.say({ user: "alice", text: "hello" });
    expect(await said.done).toMatchObject({ status: 503 });
    await rig.testDatabase.allowConnections(true);
    const { delivery } = said.sent ?? expect.fail("The bot was not told.");
    await expect.poll(async () => (await fake.redeliver(delivery)).status).toBe(200);
    expect(await rig.kept()).toHaveLength(1);
  });

  it("keeps a file of a personal chat so that the database does not tell where it is", async () => {
    await fake.say({ user: "alice", text: "see file", files: [{ name: "a.csv", bytes: Buffer.from("a,b") }] }).done;
    const [row] = await rig.kept();
    const item = row?.item;
    if (item?.type !== "message") throw new Error("No message was kept.");
    const [attachment] = item.attachments;
    expect(attachment?.filename).toBe("a.csv");
    expect(JSON.stringify(row)).not.toContain("http");
    const file = await unsealFile(rig.cipher, key("a:personal-alice"), attachment?.ref ?? "");
    if (file.type !== "download") throw new Error("It is to be downloaded.");
    expect(await (await fetch(file.url)).text()).toBe("a,b");
    await expect(unsealFile(rig.cipher, key("a:personal-bob"), attachment?.ref ?? "")).rejects.toThrow();
  });

  it("knows of a file in a channel by its place in the message", async () => {
    const said = fake.say({
      kind: "channel",
      user: "alice",
      text: "x",
      files: [{ name: "a.csv", bytes: Buffer.from("a") }],
    });
    await said.done;
    const [row] = await rig.kept();
    const item = row?.item;
    if (item?.type !== "message") throw new Error("No message was kept.");
    const file = await unsealFile(rig.cipher, key(ENG, said.id), item.attachments[0]?.ref ?? "");
    expect(file).toMatchObject({ type: "graph", messageId: said.id });
  });
});

describe("where to post", () => {
  const PLACE = () => `teams:${fake.tenantId}:${ENG}` as const;

  it("is what the latest activity said", async () => {
    await inEngineering("hello");
    expect((await rig.conversations.find(PLACE()))?.ref).toMatchObject({
      serviceUrl: fake.serviceUrl,
      conversationId: ENG,
      kind: "channel",
      user: null,
    });
    expect((await rig.conversations.find(PLACE()))?.ref.team).not.toBeNull();
  });

  it("is given up when the app is removed, and known again when it is back", async () => {
    await Promise.all(fake.install("eng", "alice").map(({ done }) => done));
    for (const { done } of fake.uninstall("eng", "alice")) await done;
    expect((await rig.conversations.find(PLACE()))?.disabled).not.toBeNull();
    for (const { done } of fake.install("eng", "alice")) await done;
    expect((await rig.conversations.find(PLACE()))?.disabled).toBeNull();
  });
});

describe("buttons", () => {
  const posted = async (actions: ReturnType<typeof cardActionData>[]) => {
    const { id } = await inEngineering("make a report");
    const found = await rig.conversations.find(`teams:${fake.tenantId}:${ENG}`);
    if (!found) throw new Error("The conversation was not kept.");
    const card = {
      type: "AdaptiveCard",
      version: "1.5",
      fallbackText: "buttons",
      body: [{ type: "TextBlock", text: "Press", wrap: true }],
      actions: actions.map((data) => ({
        type: "Action.Execute",
        title: String(data["verb"]),
        verb: String(data["verb"]),
        data,
        fallback: { type: "Action.Submit", title: String(data["verb"]), data },
      })),
    };
    const attachments = [{ contentType: "application/vnd.microsoft.card.adaptive", content: card }];
    const activityId = await rig.connector.send(found.ref, id, { type: "message", attachments }, SIGNAL);
    return { activityId };
  };
  const decisions = async () => (await rig.kept()).filter(({ item }) => item.type !== "message");

  it.each([false, true])(
    "keeps a decision once, though it is pressed and delivered twice (by Submit: %s)",
    async (asSubmit) => {
      const { activityId } = await posted([
        cardActionData({ type: "approve", thread: key(ENG, "1"), toolUseId: "t1" }),
      ]);
      const press = () => fake.press({ activityId, user: "alice", action: "deckhand_approve", asSubmit });
      const first = press();
      await first.done;
      await press().done;
      await fake.redeliver(first.delivery);
      expect(await decisions()).toMatchObject([
        { item: { type: "decision", personId: ALICE, toolUseId: "t1", decision: "allow" } },
      ]);
    },
  );

  it("keeps a button that is pressed again after Teams has stopped delivering the first press", async () => {
    const { activityId } = await posted([cardActionData({ type: "stop", thread: key(ENG, "1") })]);
    const press = () => fake.press({ activityId, user: "alice", action: "deckhand_stop" });
    const first = press();
    await first.done;
    await fake.redeliver(first.delivery);
    expect(await decisions()).toHaveLength(1);
    await rig.database.prisma.chatReceipt.updateMany({ data: { receivedAt: new Date(Date.now() - 90_000) } });
    const second = press();
    await second.done;
    await fake.redeliver(second.delivery);
    expect(await decisions()).toHaveLength(2);
  });

  it("answers an Action.Execute with words that Teams can show", async () => {
    const { activityId } = await posted([cardActionData({ type: "stop", thread: key(ENG, "1") })]);
    const { status, body } = await fake.press({ activityId, user: "alice", action: "deckhand_stop" }).done;
    expect({ status, body }).toEqual({
      status: 200,
      body: { statusCode: 200, type: "application/vnd.microsoft.activity.message", value: "Stopping." },
    });
    expect(await decisions()).toMatchObject([{ thread: key(ENG, "1"), item: { type: "stop", personId: ALICE } }]);
  });

  it("brings the reason of a denial", async () => {
    const { activityId } = await posted([
      cardActionData({ type: "deny", thread: key(ENG, "1"), toolUseId: "t1", reason: null }),
    ]);
    await fake.press({ activityId, user: "alice", action: "deckhand_deny", inputs: { reason: " too risky " } }).done;
    expect(await decisions()).toMatchObject([{ item: { decision: "deny", reason: "too risky" } }]);
  });

  it("keeps nothing of somebody who may not decide, and tells them who may", async () => {
    const { activityId } = await posted([cardActionData({ type: "approve", thread: key(ENG, "1"), toolUseId: "t1" })]);
    const { body } = await fake.press({ activityId, user: "bob", action: "deckhand_approve" }).done;
    expect(body).toMatchObject({ value: `Only name of ${ALICE} may decide on this.` });
    expect(await decisions()).toEqual([]);
  });

  it("tells whoever presses an Action.Submit without the right to it, and nobody else", async () => {
    const { activityId } = await posted([cardActionData({ type: "approve", thread: key(ENG, "1"), toolUseId: "t1" })]);
    await fake.press({ activityId, user: "bob", action: "deckhand_approve", asSubmit: true }).done;
    await expect
      .poll(() =>
        fake
          .written("eng")
          .map(({ targetedTo }) => targetedTo?.key ?? null)
          .filter((name) => name !== null),
      )
      .toEqual(["bob"]);
  });

  it("does nothing to a thread of another conversation, whatever the card says", async () => {
    const { activityId } = await posted([cardActionData({ type: "stop", thread: key("a:personal-bob") })]);
    const { body } = await fake.press({ activityId, user: "alice", action: "deckhand_stop" }).done;
    expect(body).toMatchObject({ value: "This button has no use any more." });
    expect(await decisions()).toEqual([]);
  });
});

describe("the list of commands", () => {
  afterEach(() => {
    runSlash = YOU_SAID;
  });
  const command = (text: string) =>
    fake.say({ kind: "groupChat", user: "bob", text, targeted: true, mention: false }).done;

  it("is answered to the caller alone", async () => {
    const before = fake.written("group").length;
    await fake.say({ kind: "groupChat", user: "bob", text: "/deckhand status", targeted: true, mention: false }).done;
    await expect.poll(() => fake.written("group").length).toBe(before + 1);
    const answer = fake.written("group").at(-1);
    expect(answer?.targetedTo?.key).toBe("bob");
    expect(answer?.wire["text"]).toBe("You said /status.");
    expect(await rig.kept()).toEqual([]);
  });

  it("is answered in a channel, too, where the command itself begins no thread", async () => {
    await fake.say({ kind: "channel", user: "bob", text: "help", targeted: true, mention: false }).done;
    const told = () => fake.written("eng").filter(({ targetedTo }) => targetedTo?.key === "bob");
    await expect.poll(() => told().map(({ wire }) => wire["text"])).toContain("You said help.");
  });

  it("has Teams' answer when what it asks for is kept, and not before", async () => {
    const [begun, kept] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    runSlash = async (call, signal) => {
      begun.resolve();
      await kept.promise;
      return YOU_SAID(call, signal);
    };
    const stop = command("stop");
    await begun.promise;
    const meanwhile = fake.say({ user: "alice", text: "hello" }).done.then(() => "meanwhile");
    expect(await Promise.race([stop, meanwhile])).toBe("meanwhile");
    kept.resolve();
    expect(await stop).toMatchObject({ status: 200 });
  });

  it("has Teams bring a command again that could not be kept", async () => {
    let calls: string[] = [];
    runSlash = async (call, signal) => {
      calls = [...calls, call.id];
      if (calls.length === 1) throw new Error("The database is away.");
      return YOU_SAID(call, signal);
    };
    const said = fake.say({ kind: "groupChat", user: "bob", text: "stop", targeted: true, mention: false });
    expect(await said.done).toMatchObject({ status: 200 });
    expect(calls).toEqual([said.id, said.id]);
  });

  it("has Teams' answer in time when the command takes long", { timeout: 20_000 }, async () => {
    runSlash = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    expect(await command("status")).toMatchObject({ status: 200 });
  });
});

describe("what else Teams sends", () => {
  const asked = async () => {
    const said = fake.say({ user: "alice", text: "hello" });
    await said.done;
    return fake.messages("alice").find(({ id }) => id === said.id) ?? expect.fail("Nobody said it.");
  };

  it.each(["signin/verifyState", "signin/tokenExchange", "message/fetchTask", "composeExtension/query", "task/fetch"])(
    "answers the invoke %s with an empty 200",
    async (name) => {
      const sent = fake.invoke(await asked(), "alice", name, { anything: true });
      expect(await sent.done).toEqual({ status: 200, body: {} });
    },
  );

  it("takes nothing of edits, deletions and reactions", async () => {
    const said = await inEngineering("hello");
    await fake.edit(said.id, "hello again").done;
    await fake.react(said.id, "alice", "like").done;
    await fake.unsay(said.id).done;
    expect(await rig.kept()).toHaveLength(1);
  });

  it("keeps what people think of an answer", async () => {
    await asked();
    const found = await rig.conversations.find(`teams:${fake.tenantId}:a:personal-alice`);
    if (!found) throw new Error("The conversation was not kept.");
    const channelData = { feedbackLoop: { type: "default" } };
    const id = await rig.connector.send(found.ref, null, { type: "message", text: "Done.", channelData }, SIGNAL);
    expect(await fake.feedback(id, "alice", "like").done).toMatchObject({ status: 200 });
    expect(rig.ratings).toEqual([
      { thread: key("a:personal-alice"), answerId: `event of ${id}`, personId: ALICE, value: "up" },
    ]);
  });

  it.each(["accept", "decline"] as const)("keeps the answer to a file's card: %s", async (answer) => {
    await asked();
    const found = await rig.conversations.find(`teams:${fake.tenantId}:a:personal-alice`);
    if (!found) throw new Error("The conversation was not kept.");
    const context = { consent_id: "consent_1" };
    const content = { description: "A report", sizeInBytes: 3, acceptContext: context, declineContext: context };
    const attachments = [
      { contentType: "application/vnd.microsoft.teams.card.file.consent", name: "report.csv", content },
    ];
    const id = await rig.connector.send(found.ref, null, { type: "message", attachments }, SIGNAL);
    expect(await fake.consent(id, "alice", answer).done).toMatchObject({ status: 200 });
    expect(rig.consents).toMatchObject([
      {
        consentId: "consent_1",
        thread: key("a:personal-alice"),
        answer: answer === "accept" ? "accepted" : "declined",
      },
    ]);
    expect(rig.consents[0]?.upload?.uploadUrl ?? null).toEqual(answer === "accept" ? expect.any(String) : null);
  });
});
