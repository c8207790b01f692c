import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChatChunk, ChatStream } from "../../src/models/openai-compatible-stream.ts";
import { calls, says, type StreamedAnswer } from "../fakes/messages-answer.ts";
import { type CallHabit, chunksOf } from "../fakes/openai-chat-chunks.ts";

function fold(chunks: object[]) {
  const stream = new ChatStream();
  const shown = chunks.flatMap((chunk) => stream.take(ChatChunk.parse(chunk)));
  return { shown, response: stream.response() };
}
const take = (answer: StreamedAnswer, habit?: CallHabit) => fold(chunksOf(answer, "m", habit));
const delta = (content: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: content, finish_reason }],
});
const piece = (call: object) => delta({ tool_calls: [call] });
const end = (reason = "tool_calls") => delta({}, reason);
const usesIn = (response: ReturnType<ChatStream["response"]>) =>
  (response?.content ?? []).flatMap((block) => (block.type === "tool_use" ? [[block.name, block.input]] : []));
const HABITS = [
  undefined,
  "no_ids",
  "late_ids",
  "same_index",
  "same_index_no_ids",
  "no_index",
  "tool_name_ids",
] as const;

describe("a chat completion's stream", () => {
  it("is put together from thinking, text and calls, and text is shown as it comes", () => {
    const { shown, response } = take({
      content: [
        { type: "thinking", thinking: "let me see what there is", signature: "" },
        { type: "text", chunks: ["a", "b"] },
        { type: "tool_use", name: "bash", input: { command: "ls -la /workspace" } },
      ],
      stopReason: "tool_use",
    });
    expect(shown).toEqual([
      { type: "thinking" },
      { type: "text", index: 0, text: "a" },
      { type: "text", index: 0, text: "b" },
    ]);
    expect(response).toMatchObject({
      stopReason: "tool_use",
      content: [
        { type: "thinking", opaque: {} },
        { type: "text", text: "ab" },
        { type: "tool_use", name: "bash", input: { command: "ls -la /workspace" } },
      ],
    });
  });

  it.each(HABITS)("keeps calls apart and whole when a server writes them with the habit %s", (habit) => {
    const inputs = fc.array(
      fc.record({ name: fc.constantFrom("bash", "read"), input: fc.dictionary(fc.string(), fc.jsonValue()) }),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(inputs, (uses) => {
        const { response } = take(calls(...uses), habit);
        expect(usesIn(response)).toEqual(uses.map(({ name, input }) => [name, JSON.parse(JSON.stringify(input))]));
        const ids = response?.content.flatMap((block) => (block.type === "tool_use" ? [block.id] : [])) ?? [];
        expect(ids.every((id) => id !== "")).toBe(true);
      }),
    );
  });

  it("takes a name that comes after the arguments began, and one that every piece repeats", () => {
    const late = [piece({ index: 0, id: "a" }), piece({ index: 0, function: { arguments: '{"x":' } })];
    const repeats = [
      piece({ index: 1, function: { name: "read", arguments: '{"y":' } }),
      piece({ index: 1, function: { name: "read", arguments: "2}" } }),
    ];
    const named = piece({ index: 0, function: { name: "bash", arguments: "1}" } });
    expect(usesIn(fold([...late, named, ...repeats, end()]).response)).toEqual([
      ["bash", { x: 1 }],
      ["read", { y: 2 }],
    ]);
  });

  it("refuses a call of nothing", () => {
    expect(() => fold([piece({ index: 0, function: { arguments: "{}" } }), end()])).toThrow(
      "a tool call without a name",
    );
  });

  it.each([
    ["nothing", "", {}],
    ["broken JSON", '{"command": "ls', { invalid_json: '{"command": "ls' }],
  ])("gives a call of %s an input that says so", (_name, json, input) => {
    const use = { type: "tool_use" as const, name: "bash", input: {}, json };
    expect(usesIn(take({ content: [use], stopReason: "tool_use" }).response)).toEqual([["bash", input]]);
  });

  it("never gives the call that the limit cut off an input that could run", () => {
    const { response } = take({
      ...calls({ name: "bash", input: { command: "a" } }, { name: "bash", input: { command: "b" } }),
      stopReason: "max_tokens",
    });
    expect(response?.stopReason).toBe("max_tokens");
    expect(usesIn(response)).toEqual([
      ["bash", { command: "a" }],
      ["bash", { cut_off_at_output_limit: '{"command":"b"}' }],
    ]);
  });

  it.each([
    ["stop", "end_turn"],
    ["length", "max_tokens"],
    ["content_filter", "refusal"],
    ["eos_token", "end_turn"],
  ])("ends with %s as %s", (reason, stopReason) => {
    expect(fold([delta({ content: "x" }), end(reason)]).response?.stopReason).toBe(stopReason);
  });

  it("takes calls that end with `stop` for calls, and drops those of an answer that was filtered", () => {
    const call = piece({ index: 0, id: "a", function: { name: "bash", arguments: "{}" } });
    expect(fold([call, end("stop")]).response).toMatchObject({ stopReason: "tool_use", content: [{ name: "bash" }] });
    expect(fold([call, end("content_filter")]).response).toMatchObject({ stopReason: "refusal", content: [] });
  });

  it("shows the words of a model that declines", () => {
    const { shown, response } = fold([delta({ refusal: "I can't." }), end("stop")]);
    expect(shown).toEqual([{ type: "text", index: 0, text: "I can't." }]);
    expect(response).toMatchObject({ stopReason: "refusal", content: [{ type: "text", text: "I can't." }] });
  });

  it("counts cached tokens of the prompt apart, and the last count of many", () => {
    const usage = { input_tokens: 7, output_tokens: 42, cache_creation_input_tokens: 0, cache_read_input_tokens: 2 };
    expect(take({ ...says("x"), usage }).response?.usage).toEqual(usage);
    const counts = (completion_tokens: number) => ({ choices: [], usage: { prompt_tokens: 3, completion_tokens } });
    expect(fold([counts(1), end("stop"), counts(9)]).response?.usage).toMatchObject({
      input_tokens: 3,
      output_tokens: 9,
    });
  });

  it.each([
    ["no word of an end", [delta({ content: "half" }, "")]],
    ["an answer that the server gave up", [delta({ content: "half" }), end("abort")]],
  ])("has no response after %s", (_name, chunks) => {
    expect(fold(chunks).response).toBeNull();
  });

  it("stops a model that writes or calls without end, for good", () => {
    const chunk = ChatChunk.parse(delta({ content: "x".repeat(100_000) }));
    const endless = new ChatStream();
    const write = () => {
      for (let i = 0; i < 50; i++) endless.take(chunk);
    };
    expect(write).toThrow(expect.objectContaining({ name: "ModelError", retryable: false }));
    const many = Array.from({ length: 200 }, (_, index) => piece({ index, function: { name: "bash" } }));
    expect(() => fold(many)).toThrow("more than 128 tool calls");
  });
});
