import type Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import { AnthropicStream } from "../../src/models/anthropic-stream.ts";
import type { StreamedAnswer } from "../fakes/messages-answer.ts";
import { framesOf } from "../fakes/messages-frames.ts";

function take(answer: StreamedAnswer, extra: object[] = []) {
  const stream = new AnthropicStream();
  const frames = [...framesOf(answer, "m").map(({ data }) => data), ...extra].filter(
    (frame) => Object(frame).type !== "ping",
  );
  const shown = frames.flatMap((frame) => stream.take(frame as unknown as Anthropic.RawMessageStreamEvent));
  return { shown, response: stream.response() };
}

const text = (...chunks: string[]) => ({ type: "text" as const, chunks });
const use = (json: string) => ({ type: "tool_use" as const, name: "bash", input: {}, json });

describe("a Messages stream", () => {
  it("is put together block by block, and text is shown as it comes, numbered by text block", () => {
    const thinking = { type: "thinking" as const, thinking: "let me see what there is", signature: "c2ln" };
    const { shown, response } = take({
      content: [thinking, text("a", "b"), use('{"command":"ls -la /workspace"}'), text("c")],
      stopReason: "tool_use",
    });
    expect(shown).toEqual([
      { type: "thinking" },
      { type: "text", index: 0, text: "a" },
      { type: "text", index: 0, text: "b" },
      { type: "text", index: 1, text: "c" },
    ]);
    expect(response).toMatchObject({
      stopReason: "tool_use",
      content: [
        { type: "thinking", opaque: { type: "thinking", thinking: thinking.thinking, signature: "c2ln" } },
        { type: "text", text: "ab" },
        { type: "tool_use", name: "bash", input: { command: "ls -la /workspace" } },
        { type: "text", text: "c" },
      ],
    });
  });

  it.each([
    ["nothing", "", {}],
    ["broken JSON", '{"command": "ls', { invalid_json: '{"command": "ls' }],
  ])("gives a call of %s an input that says so", (_name, json, input) => {
    expect(take({ content: [use(json)], stopReason: "tool_use" }).response?.content[0]).toMatchObject({ input });
  });

  it.each(["max_tokens", "model_context_window_exceeded"] as const)(
    "never gives the call that %s cut off an input that could run",
    (stopReason) => {
      const { response } = take({ content: [use('{"command":"a"}'), use('{"command":"b"}')], stopReason });
      expect(response?.stopReason).toBe("max_tokens");
      expect(response?.content).toMatchObject([
        { input: { command: "a" } },
        { input: { cut_off_at_output_limit: '{"command":"b"}' } },
      ]);
    },
  );

  it("counts tokens as the last word of the API has them", () => {
    const usage = { input_tokens: 7, output_tokens: 42, cache_creation_input_tokens: 3, cache_read_input_tokens: 2 };
    expect(take({ content: [text("x")], usage }).response?.usage).toEqual(usage);
  });

  it("has no response before the model is done", () => {
    const stream = new AnthropicStream();
    const frames = framesOf({ content: [text("half")] }, "m").filter(({ event }) => event !== "ping");
    for (const { data } of frames.slice(0, -2)) stream.take(data as unknown as Anthropic.RawMessageStreamEvent);
    expect(stream.response()).toBeNull();
  });

  it("passes over kinds of frames that it does not know", () => {
    expect(take({ content: [text("x")] }, [{ type: "brand_new" }]).response?.content).toEqual([
      { type: "text", text: "x" },
    ]);
  });
});
