import { type ConversationReference, TurnContext } from "botbuilder";
import mappers from "botframework-connector/lib/connectorApi/models/mappers.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { type BotbuilderBot, startBotbuilderBot } from "./botbuilder-bot.ts";
import { TOKEN_DEFECTS } from "./channel-tokens.ts";

let fake: FakeTeams;
let bot: BotbuilderBot;
const turns: { text: string; reference: Partial<ConversationReference> }[] = [];

beforeEach(async () => {
  turns.length = 0;
  fake = await startFakeTeams({ redeliveryDelaysMs: [] });
  bot = await startBotbuilderBot(fake, async (context) => {
    if (context.activity.type !== "message") return;
    turns.push({
      text: TurnContext.removeRecipientMention(context.activity),
      reference: TurnContext.getConversationReference(context.activity),
    });
    await context.sendActivity("At your service.");
  });
  fake.deliverTo(bot.endpoint);
});
afterEach(async () => {
  await bot.close();
  await fake.close();
});

describe("the real botbuilder", () => {
  it.each([
    { kind: "personal", user: "alice", place: "alice" },
    { kind: "groupChat", user: "bob", place: "group" },
    { kind: "channel", user: "alice", place: "eng" },
  ] as const)(
    "hears $kind, answers where it was asked, and edits by the stored reference",
    async ({ kind, user, place }) => {
      const said = fake.say({ kind, user, text: "hello" });
      await said.done;
      expect(turns[0]?.text.trim()).toBe("hello");
      const [answer] = fake.written(place, said.rootId ?? undefined);
      expect(answer?.wire).toMatchObject({ type: "message", text: "At your service." });
      await bot.adapter.continueConversationAsync(fake.appId, turns[0]?.reference ?? {}, async (context) => {
        await context.updateActivity({ type: "message", id: answer?.id ?? "", text: "Done." });
      });
      expect(answer?.wire).toMatchObject({ text: "Done." });
      expect(fake.violations).toEqual([]);
    },
  );

  it.each(TOKEN_DEFECTS)("refuses a token that is %s, and its logic does not run", async (token) => {
    vi.spyOn(console, "error").mockReturnValue();
    const said = fake.say({ kind: "personal", user: "alice", text: "let me in", token });
    expect(await said.done).toMatchObject({ status: expect.toSatisfy((status) => status === 401 || status === 500) });
    expect(turns).toEqual([]);
  });
});

describe("entities on the wire", () => {
  const sent = async () => {
    await fake.say({ kind: "personal", user: "alice", text: "go" }).done;
    await bot.adapter.continueConversationAsync(fake.appId, turns[0]?.reference ?? {}, async (context) => {
      await context.sendActivity({ type: "typing", text: "Looking", entities: [STREAM] }).catch(() => undefined);
      await context.sendActivity({ type: "message", text: "Labelled.", entities: [LABEL] }).catch(() => undefined);
    });
    const bodies = fake
      .callsTo("send")
      .concat(fake.callsTo("reply"))
      .map(({ body }) => JSON.stringify(body));
    return bodies.join("\n");
  };

  it("botbuilder 4.23.3 strips them, and the fake shows it", async () => {
    const wire = await sent();
    expect(wire).toContain('"streaminfo"');
    expect(wire).not.toMatch(/streamType|streamSequence|additionalType/);
    expect(fake.violations.join()).toContain("Only start streaming and continue streaming types are allowed");
  });

  it("with its mapper told to keep what it does not know, they arrive", async () => {
    const { type } = mappers.Entity;
    type.additionalProperties = { type: { name: "Object" } };
    try {
      const wire = await sent();
      expect(wire).toMatch(/"streamType":"informative"/);
      expect(wire).toMatch(/"streamSequence":1/);
      expect(wire).toMatch(/"additionalType":\["AIGeneratedContent"\]/);
      expect(fake.streams).toMatchObject([{ informative: ["Looking"], state: "open" }]);
      expect(fake.violations).toEqual([]);
    } finally {
      delete type.additionalProperties;
    }
  });
});

const STREAM = { type: "streaminfo", streamType: "informative", streamSequence: 1 };
const LABEL = {
  type: "https://schema.org/Message",
  "@type": "Message",
  "@context": "https://schema.org",
  "@id": "",
  additionalType: ["AIGeneratedContent"],
};
