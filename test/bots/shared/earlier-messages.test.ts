import { describe, expect, it } from "vitest";
import type { EarlierMessage } from "../../../bots/shared/chat-source.ts";
import { earlierFiles, earlierMessages, fitting } from "../../../bots/shared/earlier-messages.ts";

const MIB = 1024 * 1024;
const said = (messageId: string, text = messageId, more: Partial<EarlierMessage> = {}): EarlierMessage => ({
  ...{ messageId, author: "Ana", byAgent: false, sentAt: 0, text, attachments: [] },
  ...more,
});
const idsOf = (messages: EarlierMessage[]) => messages.map(({ messageId }) => messageId);
const { signal } = new AbortController();

describe("what the session is told of a thread", () => {
  const thread = "slack:T1:C1:1.0" as const;
  const read = (messages: EarlierMessage[], since: string | null) =>
    earlierMessages({ earlier: async () => messages }, { thread, before: "9", since, lastTry: false }, signal);

  it("is everything at first, the agent's own words of before too, and later what came after the last it knows", async () => {
    const messages = [
      said("1"),
      said("2", "Done.", { byAgent: true }),
      said("3"),
      said("4", "Mine", { byAgent: true }),
    ];
    expect(idsOf((await read(messages, null)).messages)).toEqual(["1", "2", "3", "4"]);
    expect(idsOf((await read(messages, "1")).messages)).toEqual(["3"]);
  });

  it("is said to be cut when there may be more that it does not know", async () => {
    const messages = Array.from({ length: 100 }, (_, index) => said(String(index)));
    expect((await read(messages, null)).cut).toBe(true);
    expect((await read(messages, "98")).cut).toBe(false);
    expect((await read(messages.slice(1), null)).cut).toBe(false);
  });

  it("is the latest that there is room for, each of them cut", () => {
    const { messages, cut } = fitting(Array.from({ length: 20 }, (_, index) => said(String(index), "x".repeat(9_000))));
    expect(cut).toBe(true);
    expect(idsOf(messages)).toEqual(["13", "14", "15", "16", "17", "18", "19"]);
    expect(messages.every(({ text }) => text.length < 8_100 && text.endsWith("[…]"))).toBe(true);
    expect(fitting([said("1")])).toEqual({ messages: [said("1")], cut: false });
  });
});

describe("files of earlier messages", () => {
  const file = (ref: string, sizeBytes: number | null = 1) => ({ filename: `${ref}.csv`, ref, sizeBytes });

  it("are given once each, the latest first, besides those that come with the request", () => {
    const messages = [
      said("1", "", { attachments: [file("A")] }),
      said("2", "", { attachments: [file("B"), file("A"), file("C")] }),
    ];
    const { files, missing } = earlierFiles(messages, [file("C")]);
    expect(files.map(({ ref }) => ref)).toEqual(["B", "A"]);
    expect(missing).toEqual([]);
  });

  it("that are too many or too large are named, and smaller ones still given", () => {
    const many = Array.from({ length: 25 }, (_, index) =>
      said(String(index), "", { attachments: [file(`F${index}`)] }),
    );
    expect(earlierFiles(many, []).files).toHaveLength(20);
    expect(earlierFiles(many, []).missing).toHaveLength(5);
    const large = [said("1", "", { attachments: [file("small"), file("B", 150 * MIB), file("A", 150 * MIB)] })];
    const { files, missing } = earlierFiles(large, []);
    expect(files.map(({ ref }) => ref)).toEqual(["small", "B"]);
    expect(missing).toMatchObject([{ filename: "A.csv" }]);
  });
});
