import { mkdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CARD_VERBS, cardActionData } from "../../../bots/teams/card-actions.ts";
import { type Answer, gate, says } from "../../fakes/messages-answer.ts";
import { freePort } from "../../../src/embedded/free-port.ts";
import { createTestHome, type TestHome } from "../support/test-home.ts";
import { type Playground, startPlayground } from "./support/playground.ts";

let home: TestHome;
let playground: Playground;

beforeAll(async () => {
  const port = String(await freePort());
  home = await createTestHome({ TEAMS_ALLOW_ANONYMOUS: "1", TEAMS_PORT: port });
  await home.up(null, "0");
  const dir = path.join(home.dir, "playground");
  await mkdir(dir);
  playground = await startPlayground(`http://127.0.0.1:${port}/api/messages`, dir);
});
afterAll(async () => {
  await playground?.close();
  await home?.close();
});

const SOON = { timeout: 60_000 };
const within = (conversation: string) =>
  playground.seen.filter(({ actionConversationId }) => actionConversationId === conversation);
const texts = (conversation: string) => within(conversation).map(({ message }) => message?.text ?? "");
const cards = (conversation: string) =>
  within(conversation).map(({ message }) => JSON.stringify(message?.attachments?.[0]?.content ?? null));
const held = (text: string): { answer: Answer; hold: ReturnType<typeof gate> } => {
  const hold = gate();
  const chunks = Array.from({ length: 20 }, () => `${text} `);
  return { answer: { content: [{ type: "text", chunks }], middle: hold }, hold };
};

describe("Microsoft's playground, unmodified", () => {
  it("shows what is being done and the answer, in a channel's thread", async () => {
    home.model.play("make a report", says("Here is the report."));
    const thread = await playground.say(playground.channel, "make a report", { mention: true });
    expect(thread).toContain(";messageid=");
    await expect.poll(() => texts(thread), SOON).toContain("Here is the report.");
    await expect.poll(() => cards(thread).at(-1), SOON).toContain("Done");
    expect(cards(thread).some((card) => card.includes("Working"))).toBe(true);
    expect(within(thread).map(({ action }) => action)).toContain("updateMessage");
  });

  it("answers in a group chat", async () => {
    home.model.play("and a deck", says("Here is the deck."));
    const thread = await playground.say(playground.group, "and a deck", { mention: true });
    await expect.poll(() => texts(thread), SOON).toContain("Here is the deck.");
  });

  it("streams an answer in a personal chat while it is written", async () => {
    const { answer, hold } = held("streaming");
    // What is written before anybody follows the session is not shown as it is written.
    const before = gate();
    home.model.play("tell me a story", { ...answer, before });
    await playground.say(playground.personal, "tell me a story");
    await expect.poll(() => cards(playground.personal).some((card) => card.includes("Working")), SOON).toBe(true);
    before.open();
    await expect.poll(() => texts(playground.personal).some((text) => /^(streaming ?)+$/.test(text)), SOON).toBe(true);
    expect(texts(playground.personal)).not.toContain("streaming ".repeat(20).trim());
    hold.open();
    await expect
      .poll(() => texts(playground.personal).map((text) => text.trim()), SOON)
      .toContain("streaming ".repeat(20).trim());
  });

  it("stops what runs by the button of its card", async () => {
    const { answer, hold } = held("never");
    home.model.play("run for long", answer);
    const conversation = await playground.say(playground.channel, "run for long", { mention: true });
    await hold.reached;
    await expect.poll(() => cards(conversation).some((card) => card.includes(CARD_VERBS.stop)), SOON).toBe(true);
    const status = within(conversation).find(({ message }) =>
      JSON.stringify(message ?? null).includes(CARD_VERBS.stop),
    );
    const data = dataOf(status?.message?.attachments?.[0]?.content);
    expect(data).toEqual(cardActionData({ type: "stop", thread: data.thread }));
    const action = { verb: CARD_VERBS.stop, data };
    expect(await playground.execute(conversation, status?.message?.messageId ?? "", action)).toMatchObject({
      value: "Stopping.",
    });
    await expect.poll(() => cards(conversation).at(-1), SOON).toContain("Stopped");
    hold.open();
  });
});

/** Of the card's first button. */
function dataOf(card: unknown): { thread: `teams:${string}` } {
  const { actions } = card as { actions: { data: { thread: `teams:${string}` } }[] };
  return actions[0]?.data ?? { thread: "teams:none" };
}
