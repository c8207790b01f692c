import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeTeams, startFakeTeams } from "../teams-connector.ts";
import { type RestBot, restBot } from "./rest-bot.ts";
import { conversationOf } from "./world.ts";

let fake: FakeTeams;
let bot: RestBot;
beforeEach(async () => {
  fake = await startFakeTeams();
  bot = restBot(fake);
});
afterEach(() => fake.close());

type Part = { streamType: string; streamSequence?: number; streamId?: string };
const send = (text: string, part: Part, more: Record<string, unknown> = {}, key = "alice") =>
  bot.post(conversationOf(fake.world, key).id, {
    type: part.streamType === "final" ? "message" : "typing",
    text,
    entities: [{ type: "streaminfo", ...part }],
    ...more,
  });
const begin = async (text = "Looking") => {
  const { body } = await send(text, { streamType: "informative", streamSequence: 1 });
  fake.clock.advance(1_000);
  return String(body["id"]);
};
const goOn = async (streamId: string, streamSequence: number, text: string) => {
  const answer = await send(text, { streamType: "streaming", streamSequence, streamId });
  fake.clock.advance(1_000);
  return answer;
};
const message = (answer: { body: Record<string, unknown> }) => Object(answer.body["error"]).message;

describe("a stream", () => {
  it("goes from informative over growing text to a final message, under one id", async () => {
    const streamId = await begin();
    expect((await goOn(streamId, 2, "The")).status).toBe(201);
    expect((await goOn(streamId, 3, "The answer")).status).toBe(201);
    const channelData = { feedbackLoop: { type: "default" } };
    expect((await send("The answer.", { streamType: "final", streamId }, { channelData })).body).toEqual({
      id: streamId,
    });
    expect(fake.streams).toMatchObject([
      { id: streamId, state: "final", informative: ["Looking"], texts: ["The", "The answer", "The answer."] },
    ]);
    expect(fake.written("alice").map(({ id, wire }) => [id, wire["text"]])).toEqual([[streamId, "The answer."]]);
    expect(fake.violations).toEqual([]);
  });

  it("takes one request a second", async () => {
    const streamId = await begin();
    await send("a", { streamType: "streaming", streamSequence: 2, streamId });
    const early = await send("ab", { streamType: "streaming", streamSequence: 3, streamId });
    expect([early.status, early.headers.get("retry-after")]).toEqual([429, "1"]);
    fake.clock.advance(1_000);
    expect((await goOn(streamId, 3, "ab")).status).toBe(201);
  });

  it("drops what comes out of order", async () => {
    const streamId = await begin();
    await goOn(streamId, 3, "abc");
    const late = await goOn(streamId, 2, "ab");
    expect(late).toMatchObject({ status: 202, code: "ContentStreamSequenceOrderPreConditionFailed" });
    expect(fake.streams[0]?.texts).toEqual(["abc"]);
  });

  it("ends after two minutes, however busy it is", async () => {
    const streamId = await begin();
    fake.clock.advance(120_000);
    expect(message(await goOn(streamId, 2, "late"))).toContain("exceeded streaming time");
    expect(message(await send("late", { streamType: "final", streamId }))).toContain("exceeded streaming time");
    expect(fake.violations).toEqual([]);
  });

  it("is stopped by the person, and the bot is told by the next answer", async () => {
    const streamId = await begin();
    expect(fake.stopStream("alice").id).toBe(streamId);
    const refused = await goOn(streamId, 2, "more");
    expect(refused).toMatchObject({ status: 403, code: "ContentStreamNotAllowed" });
    expect(message(refused)).toContain("canceled by user");
    expect(fake.violations).toEqual([]);
  });

  it("is over once it is final, and can then be edited", async () => {
    const streamId = await begin();
    const edit = () =>
      bot.connector("PUT", `v3/conversations/a:personal-alice/activities/${streamId}`, {
        type: "message",
        text: "More.",
      });
    expect((await edit()).status).toBe(403);
    await send("Done.", { streamType: "final", streamId });
    expect(message(await goOn(streamId, 2, "Done. Or not"))).toContain("already completed");
    expect((await edit()).status).toBe(200);
  });

  it("is one at a time in a chat, and in personal chats alone", async () => {
    await begin();
    const start = { streamType: "streaming", streamSequence: 1 };
    expect((await send("second", start)).status).toBe(403);
    expect((await send("elsewhere", start, {}, "bob")).status).toBe(201);
    expect((await send("nowhere", start, {}, "group")).status).toBe(403);
    expect((await send("nowhere", start, {}, "eng")).status).toBe(403);
  });

  it("has a size", async () => {
    const streamId = await begin();
    const large = await goOn(streamId, 2, "x".repeat(41_000));
    expect(large).toMatchObject({ status: 403, code: "ContentStreamNotAllowed" });
    expect(message(large)).toBe("Message size too large");
  });
});

describe("a part is refused, and that is a violation", () => {
  it.each<[string, string, Part & { streamId?: string }, Record<string, unknown>]>([
    ["that lost what was shown", "Other", { streamType: "streaming", streamSequence: 3 }, {}],
    ["without a sequence", "The end", { streamType: "streaming" }, {}],
    ["that ends with a sequence", "The end", { streamType: "final", streamSequence: 3 }, {}],
    ["informative after the answer began", "Hm", { streamType: "informative", streamSequence: 3 }, {}],
    ["without text", "", { streamType: "streaming", streamSequence: 3 }, {}],
    [
      "with feedback before the end",
      "The end",
      { streamType: "streaming", streamSequence: 3 },
      { channelData: { feedbackLoop: { type: "default" } } },
    ],
    ["that ends as typing", "The end", { streamType: "final" }, { type: "typing" }],
    ["that goes on as a message", "The end", { streamType: "streaming", streamSequence: 3 }, { type: "message" }],
    ["with an unknown stream", "The end", { streamType: "final", streamId: "1" }, {}],
    ["with a field that streaming lacks", "The end", { streamType: "final", colour: "red" } as Part, {}],
  ])("%s", async (_, text, part, more) => {
    const streamId = await begin();
    await goOn(streamId, 2, "The");
    const { status } = await send(text, { streamId, ...part }, more);
    expect(status).toBeOneOf([400, 403]);
    expect(fake.violations).toHaveLength(1);
    expect(fake.streams[0]).toMatchObject({ state: "open", texts: ["The"] });
  });

  it("when it begins with another sequence than 1, or with too long a line", async () => {
    expect((await send("a", { streamType: "streaming", streamSequence: 2 })).status).toBe(400);
    expect((await send("a".repeat(1_001), { streamType: "informative", streamSequence: 1 })).status).toBe(400);
    expect(fake.violations).toHaveLength(2);
  });
});
