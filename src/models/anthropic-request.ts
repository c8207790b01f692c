import type Anthropic from "@anthropic-ai/sdk";
import { z } from "zod";
import type { ModelContent, ModelMessage, ModelRequest } from "./model-provider.ts";

type Params = Anthropic.MessageCreateParamsStreaming;
type Block = Anthropic.ContentBlockParam;

/** A thinking block as it came, signature and all. */
const ThinkingBlock = z.union([
  z.object({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() }),
  z.object({ type: z.literal("redacted_thinking"), data: z.string() }),
]);

const Effort = z.enum(["low", "medium", "high", "xhigh", "max"]);
const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;
/** Models before the 4.6 generation take a budget where later ones decide for themselves. */
const FIXED_BUDGET_MODELS = /-4-5(-|$)/;
const THINKING_BUDGET_TOKENS = 8_000;
const CACHED = { cache_control: { type: "ephemeral" } } as const;

/**
 * The body of a Messages request. Pure. Two cache marks: one after tools and system, which stay the same for the whole
 * session, one at the end of the conversation, which the next request goes on from.
 */
export function toAnthropicRequest(request: ModelRequest): Params {
  const fixedBudget = FIXED_BUDGET_MODELS.test(request.model);
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    stream: true,
    messages: withCacheMark(request.messages.map(toMessage)),
    ...(request.system ? { system: [{ type: "text", text: request.system, ...CACHED }] } : {}),
    ...(request.tools.length > 0 ? { tools: request.tools.map(toTool) } : {}),
    thinking: fixedBudget ? { type: "enabled", budget_tokens: THINKING_BUDGET_TOKENS } : { type: "adaptive" },
    ...(fixedBudget ? {} : { output_config: { effort: Effort.parse(request.effort) } }),
  };
}

function toTool({ name, description, inputSchema }: ModelRequest["tools"][number]): Anthropic.Tool {
  return { name, description, input_schema: { ...inputSchema, type: "object" } };
}

function toMessage(message: ModelMessage): { role: "user" | "assistant"; content: Block[] } {
  if (message.role === "assistant") {
    const content = message.content.map((block): Block => {
      if (block.type === "thinking") return ThinkingBlock.parse(block.opaque);
      return block.type === "text" ? block : { ...block, input: block.input };
    });
    return { role: "assistant", content };
  }
  const content = message.content.map((block): Block => {
    if (block.type !== "tool_result") return toBlock(block);
    return {
      type: "tool_result",
      tool_use_id: block.toolUseId,
      content: block.content.map(toBlock),
      is_error: block.isError,
    };
  });
  return { role: "user", content };
}

function toBlock(
  block: ModelContent,
): Anthropic.TextBlockParam | Anthropic.ImageBlockParam | Anthropic.DocumentBlockParam {
  if (block.type === "text") return { type: "text", text: block.text.trim() === "" ? "(empty)" : block.text };
  if (block.type === "image") {
    const mediaType = IMAGE_TYPES.find((type) => type === block.mediaType);
    if (!mediaType) return { type: "text", text: `[An image of type ${block.mediaType}, which can't be shown.]` };
    return { type: "image", source: { type: "base64", media_type: mediaType, data: block.data } };
  }
  if (block.mediaType !== "application/pdf") {
    return { type: "text", text: Buffer.from(block.data, "base64").toString("utf8") };
  }
  return {
    type: "document",
    source: { type: "base64", media_type: "application/pdf", data: block.data },
    ...(block.title ? { title: block.title } : {}),
  };
}

function withCacheMark(messages: { role: "user" | "assistant"; content: Block[] }[]): Anthropic.MessageParam[] {
  const last = messages.at(-1);
  const block = last?.content.at(-1);
  if (!last || !block || block.type === "thinking" || block.type === "redacted_thinking") return messages;
  return [...messages.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), { ...block, ...CACHED }] }];
}
