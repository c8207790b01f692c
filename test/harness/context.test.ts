import { describe, expect, it } from "vitest";
import { compactedContext, compactionMessages } from "../../src/harness/compaction.ts";
import { buildMessages, referencedFileIds } from "../../src/harness/context.ts";
import type { ModelMessage } from "../../src/models/model-provider.ts";
import type { SessionEvent } from "../../src/schemas/event.ts";
import type { LoggedEvent } from "../../src/sessions/event-log.ts";
import {
  agentMessage,
  customResult,
  customUse,
  interrupt,
  logged,
  plain,
  requestEnd,
  toolResult,
  toolUse,
  userMessage,
} from "../support/events.ts";

const NO_FILES = new Map();
const text = (value: string) => ({ type: "text" as const, text: value });

function withAnswer(content: unknown[]): LoggedEvent {
  return { seq: 0, event: requestEnd("start"), private: { content } };
}
const log = (...entries: (SessionEvent | LoggedEvent)[]): LoggedEvent[] =>
  entries.map((entry, index) =>
    "event" in entry ? { ...entry, seq: index + 1 } : { seq: index + 1, event: entry, private: null },
  );
const build = (...entries: (SessionEvent | LoggedEvent)[]) => buildMessages(log(...entries), NO_FILES);

describe("the messages of a request", () => {
  it("alternate, however many messages and results come in a row", () => {
    const [a, b] = [toolUse(), toolUse()];
    const uses = [a, b].map(({ id, name, input }) => ({ type: "tool_use", id, name, input }));
    const messages = build(
      userMessage("one"),
      userMessage("two"),
      withAnswer(uses),
      a,
      b,
      toolResult(a.id, "ra"),
      toolResult(b.id, "rb", true),
      userMessage("three"),
      withAnswer([text("done")]),
      userMessage("four"),
    );
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant", "user"]);
    expect(messages[0]?.content).toEqual([text("one"), text("two")]);
    expect(messages[2]?.content).toEqual([
      { type: "tool_result", toolUseId: a.id, content: [text("ra")], isError: false },
      { type: "tool_result", toolUseId: b.id, content: [text("rb")], isError: true },
      text("three"),
    ]);
  });

  it("hold the results that clients gave, in whatever form, beside the harness's own", () => {
    const [a, b, c, own] = [customUse(), customUse(), customUse(), toolUse()];
    const uses = [a, b, c, own].map(({ id, name, input }) => ({ type: "tool_use", id, name, input }));
    const found = {
      type: "search_result" as const,
      title: "Prices",
      source: "https://shop.test/prices",
      content: [text("Tea: 4"), text("Milk: 2")],
      citations: { enabled: true },
    };
    const messages = build(
      userMessage("one"),
      withAnswer(uses),
      customResult(a.id, { content: [text("seven"), found] }),
      customResult(b.id, { content: [text("no such order")], is_error: true }),
      customResult(c.id, { is_error: null }),
      toolResult(own.id, "ran"),
    );
    expect(messages[2]?.content).toEqual([
      {
        type: "tool_result",
        toolUseId: a.id,
        content: [text("seven"), text("Prices\nhttps://shop.test/prices\nTea: 4\nMilk: 2")],
        isError: false,
      },
      { type: "tool_result", toolUseId: b.id, content: [text("no such order")], isError: true },
      { type: "tool_result", toolUseId: c.id, content: [], isError: false },
      { type: "tool_result", toolUseId: own.id, content: [text("ran")], isError: false },
    ]);
  });

  it("give thinking back as it came", () => {
    const opaque = { type: "thinking", thinking: "hm", signature: "sig" };
    expect(build(userMessage("x"), withAnswer([{ type: "thinking", opaque }, text("y")]))[1]).toEqual({
      role: "assistant",
      content: [{ type: "thinking", opaque }, text("y")],
    });
  });

  it("hold what the model said, not what the log shows of it", () => {
    expect(build(userMessage("x"), agentMessage("shown"), withAnswer([text("said")]))).toHaveLength(2);
    expect(build(userMessage("x"), requestEnd("start", true), withAnswer([]))).toEqual([
      { role: "user", content: [text("x")] },
    ]);
  });

  it("tell of an interrupt", () => {
    expect(build(userMessage("x"), interrupt())[0]?.content.at(-1)).toEqual(text("[The user stopped the work here.]"));
  });

  it("begin at a compaction, which stands for all before it", () => {
    const compacted = { ...logged([plain("agent.thread_context_compacted")])[0], private: { summary: "so far" } };
    const messages = build(userMessage("old"), withAnswer([text("old")]), compacted as LoggedEvent, userMessage("new"));
    expect(messages).toEqual([{ role: "user", content: [text("so far"), text("new")] }]);
  });

  it("hold the bytes of files, say which are gone, and never fetch a URL", () => {
    const content = [
      { type: "image" as const, source: { type: "file" as const, file_id: "file_here" } },
      { type: "document" as const, title: "Plan", source: { type: "file" as const, file_id: "file_here" } },
      { type: "image" as const, source: { type: "file" as const, file_id: "file_gone" } },
      { type: "image" as const, source: { type: "url" as const, url: "https://example.com/a.png" } },
      {
        type: "document" as const,
        source: { type: "text" as const, media_type: "text/plain" as const, data: "plain" },
      },
      { type: "image" as const, source: { type: "base64" as const, media_type: "image/png", data: "QQ==" } },
    ];
    const events = log({ ...userMessage(""), content });
    expect(referencedFileIds(events)).toEqual(["file_here", "file_gone"]);
    const files = new Map([["file_here", { mediaType: "image/png", data: "Qg==" }]]);
    expect(buildMessages(events, files)[0]?.content).toEqual([
      { type: "image", mediaType: "image/png", data: "Qg==" },
      { type: "document", mediaType: "image/png", data: "Qg==", title: "Plan" },
      text("[The file file_gone is no longer there.]"),
      text("[A image at https://example.com/a.png, which was not fetched.]"),
      text("plain"),
      { type: "image", mediaType: "image/png", data: "QQ==" },
    ]);
  });
});

describe("compaction", () => {
  it("asks for the summary at the end, without two user messages in a row", () => {
    const conversation: ModelMessage[] = [{ role: "user", content: [text("hi")] }];
    expect(compactionMessages(conversation).map(({ role }) => role)).toEqual(["user"]);
    const answered: ModelMessage[] = [...conversation, { role: "assistant", content: [text("yes")] }];
    expect(compactionMessages(answered).map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(conversation[0]?.content).toHaveLength(1);
  });

  it("keeps the last request word for word", () => {
    const context = compactedContext("SUMMARY", log(userMessage("first"), userMessage("the exact words")));
    expect(context).toContain("SUMMARY");
    expect(context).toContain("the exact words");
    expect(context).not.toContain("first");
  });
});
