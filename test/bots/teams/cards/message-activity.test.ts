import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApprovalCard, ChatMessage, StatusCard } from "../../../../bots/shared/chat-surface.ts";
import { chatThreadKey } from "../../../../bots/shared/chat-thread.ts";
import { activityBytes, ACTIVITY_BYTES_MAX } from "../../../../bots/teams/cards/activity-size.ts";
import { answerActivity, answerSoFar, MARKDOWN_CHARS_MAX } from "../../../../bots/teams/cards/answer-activity.ts";
import { messageActivity } from "../../../../bots/teams/cards/message-activity.ts";
import type { OutboundActivity } from "../../../../bots/teams/teams-connector.ts";
import { cardProblem } from "../../../fakes/teams/card-rules.ts";

const THREAD = chatThreadKey({ surface: "teams", tenant: "t1", conversation: "19:c@thread.tacv2;messageid=1" });
const NOW = Date.UTC(2026, 10, 22, 10, 0, 0);
const DRAWING = { thread: THREAD, names: new Map([["aad-ada", "Ada"]]), now: NOW };

const draw = (message: ChatMessage) => messageActivity(message, DRAWING);
const cardOf = ({ attachments = [] }: OutboundActivity) => attachments[0]?.content;
const status = (more: Partial<StatusCard> = {}): StatusCard => ({
  state: "working",
  steps: [{ label: "I count the rows", state: "running", detail: "bash: wc -l", toolCount: 2 }],
  startedAt: NOW - 65_000,
  endedAt: null,
  tokens: 12_400,
  costCents: 42,
  note: null,
  draft: null,
  ...more,
});
const approval = (more: Partial<ApprovalCard> = {}): ApprovalCard => ({
  toolUseId: "sevt_1",
  toolName: "bash",
  summary: "bash: rm -r old",
  detail: "cd /mnt\n  rm -r old",
  approvers: [],
  requester: "aad-ada",
  state: { type: "open", expiresAt: NOW + 60_000 },
  ...more,
});

describe("an answer", () => {
  it("is labelled as the model's words, and can be rated when it is to be", () => {
    expect(answerActivity({ type: "text", markdown: "Revenue **rose**.", answerId: "sevt_9" })).toEqual({
      type: "message",
      textFormat: "markdown",
      text: "Revenue **rose**.",
      entities: [
        {
          type: "https://schema.org/Message",
          "@type": "Message",
          "@context": "https://schema.org",
          "@id": "",
          additionalType: ["AIGeneratedContent"],
        },
      ],
      channelData: { feedbackLoop: { type: "default" } },
    });
    expect(answerActivity({ type: "text", markdown: "Part one.", answerId: null }).channelData).toBeUndefined();
  });

  it("has its table drawn where that ends it, and lined up as code where it does not", () => {
    const table = "| a | b |\n|---|--:|\n| x | 1 |";
    const ending = answerActivity({ type: "text", markdown: `Here:\n\n${table}`, answerId: null });
    expect(ending.text).toBe("Here:");
    expect(cardProblem(cardOf(ending))).toBeNull();
    expect(JSON.stringify(cardOf(ending))).toContain('"type":"Table"');
    const inside = answerActivity({ type: "text", markdown: `${table}\n\nSo x is 1.`, answerId: null });
    expect(inside.attachments).toBeUndefined();
    expect(inside.text).toBe("```\na      b\n───  ───\nx      1\n```\n\nSo x is 1.");
  });

  it("cites what it numbers", () => {
    const markdown = 'Sales rose [1].\n\n[1]: https://acme.test/report "The report"\n[2]: https://acme.test/unused';
    const { text, entities } = answerActivity({ type: "text", markdown, answerId: null });
    expect(text).toBe("Sales rose [1].\n\n[2]: https://acme.test/unused");
    expect(entities?.[0]).toMatchObject({ citation: [{ position: 1, appearance: { name: "The report" } }] });
  });

  it.each([
    ["List<String> and `List<String>`", "List&lt;String> and `List<String>`"],
    ["see <https://acme.test> if a < b", "see <https://acme.test> if a < b"],
    ["```ts\nlet a: Map<b>\n```", "```ts\nlet a: Map<b>\n```"],
    ["<at>everyone</at>", "&lt;at>everyone&lt;/at>"],
  ])("%j becomes %j", (markdown, text) => {
    expect(answerActivity({ type: "text", markdown, answerId: null }).text).toBe(text);
  });

  it("says how grave a notice is, and is not the model's then", () => {
    expect(answerActivity({ type: "notice", level: "error", markdown: "It broke." })).toEqual({
      type: "message",
      textFormat: "markdown",
      text: "❌ It broke.",
    });
  });

  it("is shown up to its first table while it is written", () => {
    expect(answerSoFar("One\n\n| a | b |\n|---|---|\n| x |")).toBe("One");
    expect(answerSoFar("One two")).toBe("One two");
  });
});

describe("a status", () => {
  it("has its steps, time, tokens, cost and a Stop button that old clients can press, too", () => {
    const { summary, attachments } = draw({ type: "status", card: status() });
    expect(summary).toBe("⏳ Working: I count the rows");
    const data = { verb: "deckhand_stop", thread: THREAD };
    expect(attachments?.[0]?.content).toMatchObject({
      body: [
        { text: "⏳ Working" },
        { inlines: [{ text: "▸ I count the rows" }] },
        { inlines: [{ text: "bash: wc -l (2 calls)" }] },
        { text: "1:05  ·  12.4k tokens  ·  $0.42" },
      ],
      actions: [{ type: "Action.Execute", verb: "deckhand_stop", data, fallback: { type: "Action.Submit", data } }],
    });
  });

  it("can't be stopped once it has ended", () => {
    const card = cardOf(draw({ type: "status", card: status({ state: "done", endedAt: NOW }) }));
    expect(card).not.toHaveProperty("actions");
  });
});

describe("an approval", () => {
  it("shows what will run as it is, who decides, and takes a reason", () => {
    const card = cardOf(draw({ type: "approval", card: approval() }));
    expect(cardProblem(card)).toBeNull();
    const json = JSON.stringify(card);
    expect(json).toContain("\u00a0\u00a0rm -r old");
    expect(json).toContain("Ada can decide, until {{DATE(2026-11-22T10:01:00Z, SHORT)}}");
    expect(card).toMatchObject({
      actions: [
        { verb: "deckhand_approve", data: { thread: THREAD, tool_use_id: "sevt_1" } },
        { verb: "deckhand_deny", fallback: { data: { tool_use_id: "sevt_1" } } },
      ],
    });
    expect(json).toContain('"id":"reason"');
  });

  it.each([
    { type: "decided", decision: "allow", by: "aad-ada", at: NOW, reason: null },
    { type: "expired", at: NOW },
    { type: "moot" },
  ] as const)("has no buttons and no input when it is $type", (state) => {
    const card = cardOf(draw({ type: "approval", card: approval({ state }) }));
    expect(card).not.toHaveProperty("actions");
    expect(JSON.stringify(card)).not.toContain("Input.Text");
  });

  it("takes no mark from the name of whoever decides", () => {
    const names = new Map([["aad-ada", "[Ada](https://x.test)"]]);
    const activity = messageActivity({ type: "approval", card: approval() }, { thread: THREAD, names, now: NOW });
    expect(JSON.stringify(activity)).not.toContain("](");
  });

  it("spells out what can't be seen, and counts what is not shown", () => {
    const card = approval({ detail: `echo a\u202Eb\n${"x".repeat(40_000)}` });
    const json = JSON.stringify(cardOf(draw({ type: "approval", card })));
    expect(json).toContain("⟨U+202E⟩");
    expect(json).toMatch(/\d+ more characters are not shown here/);
  });
});

describe("any message", () => {
  const wild = fc.string({
    unit: fc.constantFrom(
      "a",
      "|",
      "\n",
      "-",
      "`",
      "\\",
      '"',
      "<b>",
      "\u0001",
      "😀",
      " ",
      "[1]",
      "| a | b |\n|---|---|\n",
    ),
    maxLength: 4_000,
  });
  const words = (chars: number) =>
    wild.map((text) => text.repeat(Math.ceil(chars / Math.max(1, text.length))).slice(0, chars));
  const step = fc.record({
    label: wild,
    state: fc.constantFrom("running" as const, "done" as const, "stopped" as const),
    detail: fc.option(wild),
    toolCount: fc.nat(500),
  });

  it("stays within what Teams takes, and is a card that it draws", () => {
    const message = fc.oneof(
      words(MARKDOWN_CHARS_MAX).map((markdown): ChatMessage => ({ type: "text", markdown, answerId: "sevt_1" })),
      words(MARKDOWN_CHARS_MAX).map((markdown): ChatMessage => ({ type: "notice", level: "info", markdown })),
      fc
        .record({ steps: fc.array(step, { maxLength: 60 }), note: fc.option(wild) })
        .map((more): ChatMessage => ({ type: "status", card: status(more) })),
      fc
        .record({ detail: words(60_000), summary: wild, toolName: wild })
        .map((more): ChatMessage => ({ type: "approval", card: approval(more) })),
    );
    fc.assert(
      fc.property(message, (each) => {
        const activity = draw(each);
        expect(activityBytes(activity)).toBeLessThanOrEqual(ACTIVITY_BYTES_MAX);
        for (const { content } of activity.attachments ?? []) expect(cardProblem(content)).toBeNull();
        expect((activity.text ?? "") !== "" || (activity.attachments ?? []).length > 0).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
