import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTeamsConnector } from "../../../bots/teams/connector.ts";
import type { ConversationRef, OutboundActivity, TeamsConnector } from "../../../bots/teams/teams-connector.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";
import { type FakeTeams, startFakeTeams } from "../../fakes/teams-connector.ts";
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from "../../fixtures/teams/certificate.ts";
import { cloudOf } from "../../support/teams-endpoint-rig.ts";

const SIGNAL = new AbortController().signal;
const HELLO: OutboundActivity = { type: "message", text: "hello" };

let fake: FakeTeams;
let connector: TeamsConnector;

beforeEach(async () => {
  fake = await startFakeTeams();
  connector = await connected(fake);
});
afterEach(() => fake.close());

describe("the Bot Connector by botbuilder", () => {
  it("brings every field of an entity, which the package as released would drop", async () => {
    const label = {
      type: "https://schema.org/Message",
      "@type": "Message",
      "@context": "https://schema.org",
      "@id": "",
      additionalType: ["AIGeneratedContent"],
    };
    const ref = personal();
    const stream = { type: "streaminfo", streamType: "informative", streamSequence: 1 };
    await connector.send(ref, null, { type: "typing", text: "Thinking", entities: [stream] }, SIGNAL);
    await connector.send(inChannel(), root(), { ...HELLO, entities: [label] }, SIGNAL);
    expect(bodies()).toMatchObject([{ entities: [stream] }, { entities: [label] }]);
    expect(fake.violations).toEqual([]);
  });

  it("posts into a channel's thread, edits there, and takes it back", async () => {
    const rootId = root();
    const id = await connector.send(inChannel(), rootId, HELLO, SIGNAL);
    await connector.update(inChannel(), rootId, id, { type: "message", text: "hello again" }, SIGNAL);
    expect(fake.written("eng", rootId).map(({ wire }) => wire["text"])).toEqual(["hello again"]);
    await connector.remove(inChannel(), rootId, id, SIGNAL);
    expect(fake.written("eng", rootId)).toEqual([]);
    expect(fake.violations).toEqual([]);
  });

  it("shows a targeted message to one person", async () => {
    await connector.sendTargeted(inChannel(), root(), "29:1-bob", HELLO, SIGNAL);
    expect(fake.written("eng").map(({ targetedTo }) => targetedTo?.key)).toEqual(["bob"]);
    expect(fake.violations).toEqual([]);
  });

  it("tells who somebody is", async () => {
    expect(await connector.member(inChannel(), "29:1-alice", SIGNAL)).toMatchObject({
      id: "29:1-alice",
      aadObjectId: "aad00000-0000-4000-8000-000000000001",
      email: "alice@acme.test",
    });
  });

  it.each([
    ["429", { type: "throttled", retryAfterSeconds: 7 }, 7_000],
    ["412", { type: "http", status: 412 }, null],
    ["502", { type: "http", status: 502 }, null],
    ["a broken connection", { type: "reset", when: "before" }, null],
  ] as const)("asks once and says when to try again: %s", async (_, fault, retryAfterMs) => {
    void fake.fail("send", fault);
    const error = await connector.send(personal(), null, HELLO, SIGNAL).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ retryAfterMs });
    expect(fake.callsTo("send")).toHaveLength(1);
  });

  it("tells why it was refused", async () => {
    fake.block("alice");
    await expect(connector.send(personal(), null, HELLO, SIGNAL)).rejects.toMatchObject({
      name: "TeamsRefusedError",
      refusal: { status: 403, code: "ConversationBlockedByUser" },
    });
  });

  it("ends with its signal, while the token is asked for as well", async () => {
    const abort = new AbortController();
    const reason = new Error("The thread's turn is over.");
    const sending = connector.send(personal(), null, HELLO, abort.signal);
    abort.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });

  it("says that it can be tried again when nobody listens", async () => {
    const ref = { ...personal(), serviceUrl: "http://127.0.0.1:9/" };
    await expect(connector.send(ref, null, HELLO, SIGNAL)).rejects.toThrow(RetryableError);
  });
});

describe("the app's tokens", () => {
  it("are asked for once, however many need one", async () => {
    await Promise.all([1, 2, 3].map(() => connector.send(personal(), null, HELLO, SIGNAL)));
    expect(fake.callsTo("token")).toHaveLength(1);
  });

  it("are Graph's own for the tenant whose data it is", async () => {
    expect(await connector.token("graph", fake.tenantId, SIGNAL)).not.toBe(
      await connector.token("connector", fake.tenantId, SIGNAL),
    );
    expect(fake.violations).toEqual([]);
  });

  it("are refused with words on what to check, and without the password", async () => {
    const other = await connected(fake, { type: "password", password: "wrong-password" });
    const error = await other.send(personal(), null, HELLO, SIGNAL).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TerminalError);
    expect(String(error)).toContain("MICROSOFT_APP_ID");
    expect(String(error)).not.toContain("wrong-password");
  });

  it("are given to a certificate as well", async () => {
    const registered = await startFakeTeams({ certificate: TEST_CERTIFICATE });
    try {
      const credential = {
        type: "certificate",
        certificate: TEST_CERTIFICATE,
        privateKey: TEST_CERTIFICATE_KEY,
      } as const;
      const certified = await connected(registered, credential);
      const { serviceUrl } = registered;
      await certified.send({ ...personal(), serviceUrl }, null, HELLO, SIGNAL);
      expect(registered.violations).toEqual([]);
    } finally {
      await registered.close();
    }
  });
});

function connected(
  to: FakeTeams,
  credential: NonNullable<Parameters<typeof createTeamsConnector>[0]["app"]>["credential"] = {
    type: "password",
    password: to.appPassword,
  },
): Promise<TeamsConnector> {
  return createTeamsConnector({ app: { id: to.appId, tenantId: to.tenantId, credential }, cloud: cloudOf(to) });
}

function refOf(over: Pick<ConversationRef, "conversationId" | "kind">): ConversationRef {
  const bot = { id: `28:${fake.appId}`, name: "Deckhand" };
  return { serviceUrl: fake.serviceUrl, tenantId: fake.tenantId, bot, user: null, team: null, locale: null, ...over };
}

const personal = () => refOf({ conversationId: "a:personal-alice", kind: "personal" });
const inChannel = () => refOf({ conversationId: "19:0000eng@thread.tacv2", kind: "channel" });
const root = () => fake.say({ kind: "channel", user: "alice", text: "make a report" }).id;
const bodies = () => fake.callsTo("send").map(({ body }) => body);
