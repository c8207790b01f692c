import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ModelContent, ModelMessage, ModelRequest } from "../../src/models/model-provider.ts";
import { toChatRequest } from "../../src/models/openai-compatible-request.ts";
import { refusalOfChat } from "../fakes/openai-chat-request.ts";

const base: ModelRequest = {
  model: "qwen3:8b",
  effort: "high",
  system: "Be brief.",
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [{ name: "bash", description: "runs", inputSchema: { type: "object", properties: {} } }],
  maxTokens: 32_000,
};
const messagesOf = (...messages: ModelMessage[]) => toChatRequest({ ...base, system: null, messages }).messages;
const text = (words: string) => ({ type: "text" as const, text: words });
const image = { type: "image" as const, mediaType: "image/png", data: "QQ==" };
const use = (id: string, name = "bash", input: unknown = { command: "ls" }) => ({
  type: "tool_use" as const,
  id,
  name,
  input,
});
const result = (toolUseId: string, content: ModelContent[], isError = false) => ({
  type: "tool_result" as const,
  toolUseId,
  content,
  isError,
});

describe("a chat completion's request", () => {
  it("asks for a stream with usage, and sets neither limit nor effort, which servers refuse", () => {
    expect(toChatRequest(base)).toEqual({
      model: "qwen3:8b",
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "hi" },
      ],
      tools: [
        {
          type: "function",
          function: { name: "bash", description: "runs", parameters: { type: "object", properties: {} } },
        },
      ],
    });
  });

  it("leaves out what there is none of", () => {
    const bare = toChatRequest({ ...base, system: null, tools: [] });
    expect(bare.messages.map(({ role }) => role)).toEqual(["user"]);
    expect(bare).not.toHaveProperty("tools");
  });

  it("gives each result a message of its own, before what the user says next", () => {
    const [, assistant, ...rest] = messagesOf(
      { role: "user", content: [text("go")] },
      { role: "assistant", content: [{ type: "thinking", opaque: {} }, use("a"), use("b", "read", {})] },
      { role: "user", content: [result("a", [text("ok")]), result("b", [], true), text("and?")] },
    );
    expect(assistant).toEqual({
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "a", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } },
        { id: "b", type: "function", function: { name: "read", arguments: "{}" } },
      ],
    });
    expect(rest).toEqual([
      { role: "tool", tool_call_id: "a", content: "ok" },
      { role: "tool", tool_call_id: "b", content: "[This call failed.]\n(empty)" },
      { role: "user", content: "and?" },
    ]);
  });

  it("shows images as data URLs, and those of results after the results", () => {
    const sent = messagesOf(
      { role: "user", content: [text("look"), image] },
      { role: "assistant", content: [text("I look."), use("a")] },
      { role: "user", content: [result("a", [text("a chart"), image])] },
    );
    const url = { type: "image_url", image_url: { url: "data:image/png;base64,QQ==" } };
    expect(sent[0]).toEqual({ role: "user", content: [text("look"), url] });
    expect(sent.slice(2)).toEqual([
      { role: "tool", tool_call_id: "a", content: "a chart\n[An image, shown below.]" },
      { role: "user", content: [text("[Shown by the call a:]"), url] },
    ]);
  });

  it("says what it can't show, and reads documents of text", () => {
    const [sent] = messagesOf({
      role: "user",
      content: [
        { type: "image", mediaType: "image/tiff", data: "QQ==" },
        { type: "document", mediaType: "application/pdf", data: "QQ==", title: "Plan" },
        { type: "document", mediaType: "text/csv", data: Buffer.from("a,b").toString("base64") },
      ],
    });
    expect(sent?.content).toBe(
      "[An image of type image/tiff, which can't be shown.]\n\n[A PDF document \"Plan\", which can't be shown.]\n\na,b",
    );
  });

  it("is one that a strict server accepts, whatever was said, shown, called and answered", () => {
    const words = fc.oneof(fc.string(), fc.constantFrom("", " ", "\n"));
    const content: fc.Arbitrary<ModelContent> = fc.oneof(
      words.map(text),
      fc.record({
        type: fc.constant("image" as const),
        mediaType: fc.constantFrom("image/png", "image/tiff"),
        data: fc.constant("QQ=="),
      }),
      fc.record({
        type: fc.constant("document" as const),
        mediaType: fc.constantFrom("application/pdf", "text/plain"),
        data: words.map((given) => Buffer.from(given).toString("base64")),
      }),
    );
    const input = fc.dictionary(fc.string(), fc.jsonValue());
    const call = fc.record({ name: fc.string(), input, answer: fc.array(content), isError: fc.boolean() });
    const step = fc.record({
      says: fc.option(fc.string().filter((given) => given.trim() !== "")),
      calls: fc.array(call, { minLength: 1, maxLength: 3 }),
      more: fc.array(content, { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(content, { minLength: 1 }), fc.array(step, { maxLength: 4 }), (first, steps) => {
        const messages: ModelMessage[] = [{ role: "user", content: first }];
        for (const [i, { says, calls, more }] of steps.entries()) {
          const uses = calls.map(({ name, input: given }, j) => use(`c${i}_${j}`, name, given));
          messages.push({ role: "assistant", content: [...(says === null ? [] : [text(says)]), ...uses] });
          const results = calls.map(({ answer, isError }, j) => result(`c${i}_${j}`, answer, isError));
          messages.push({ role: "user", content: [...results, ...more] });
        }
        expect(refusalOfChat(toChatRequest({ ...base, messages }))).toBeNull();
      }),
    );
  });
});
