import { describe, expect, it } from "vitest";
import { toAnthropicRequest } from "../../src/models/anthropic-request.ts";
import type { ModelRequest } from "../../src/models/model-provider.ts";
import { refusalOf } from "../fakes/messages-request.ts";

const base: ModelRequest = {
  model: "claude-sonnet-5",
  effort: "high",
  system: "Be brief.",
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [{ name: "bash", description: "runs", inputSchema: { type: "object", properties: {} } }],
  maxTokens: 32_000,
};
const request = (changes: Partial<ModelRequest> = {}) => toAnthropicRequest({ ...base, ...changes });
const contentOf = (content: Extract<ModelRequest["messages"][number], { role: "user" }>["content"]) =>
  request({ messages: [{ role: "user", content }] }).messages[0]?.content;

describe("a Messages request", () => {
  it("is one that the API accepts, with at most four cache marks", () => {
    const conversation: ModelRequest["messages"] = [
      { role: "user", content: [{ type: "text", text: " " }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", opaque: { type: "thinking", thinking: "hm", signature: "sig" } },
          { type: "text", text: "looking" },
          { type: "tool_use", id: "sevt_1", name: "bash", input: { command: "ls" } },
        ],
      },
      {
        role: "user",
        content: [{ type: "tool_result", toolUseId: "sevt_1", content: [{ type: "text", text: "" }], isError: false }],
      },
    ];
    expect(refusalOf(request({ messages: conversation }), new Map([["sig", "hm"]]))).toBeNull();
  });

  it("marks the end of what stays the same and the end of the conversation for the cache", () => {
    const sent = request();
    expect(sent.system).toEqual([{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }]);
    expect(sent.messages.at(-1)?.content).toEqual([{ type: "text", text: "hi", cache_control: { type: "ephemeral" } }]);
  });

  it("lets newer models decide how much to think, and gives older ones a budget", () => {
    expect(request()).toMatchObject({ thinking: { type: "adaptive" }, output_config: { effort: "high" } });
    const older = request({ model: "claude-sonnet-4-5-20250929" });
    expect(older.thinking).toMatchObject({ type: "enabled" });
    expect(older).not.toHaveProperty("output_config");
  });

  it("leaves out what there is none of", () => {
    const bare = request({ system: null, tools: [] });
    expect(bare).not.toHaveProperty("system");
    expect(bare).not.toHaveProperty("tools");
  });

  it("says what it can't show of pictures and documents", () => {
    expect(
      contentOf([
        { type: "image", mediaType: "image/png", data: "QQ==" },
        { type: "image", mediaType: "image/tiff", data: "QQ==" },
        { type: "document", mediaType: "application/pdf", data: "QQ==", title: "Plan" },
        { type: "document", mediaType: "text/csv", data: Buffer.from("a,b").toString("base64") },
      ]),
    ).toMatchObject([
      { type: "image", source: { media_type: "image/png" } },
      { type: "text", text: "[An image of type image/tiff, which can't be shown.]" },
      { type: "document", title: "Plan" },
      { type: "text", text: "a,b" },
    ]);
  });

  it("refuses to send thinking that is not what the API gave", () => {
    const messages: ModelRequest["messages"] = [
      { role: "assistant", content: [{ type: "thinking", opaque: { forged: true } }] },
    ];
    expect(() => request({ messages })).toThrow();
  });
});
