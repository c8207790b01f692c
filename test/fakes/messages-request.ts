import { z } from "zod";

const cacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() }).optional();
const cached = { cache_control: cacheControl };
/** The API refuses text without a visible character. */
const Text = z.strictObject({
  type: z.literal("text"),
  text: z.string().regex(/\S/, "text content blocks must contain non-whitespace text"),
  ...cached,
});
const Image = z.strictObject({
  type: z.literal("image"),
  source: z.strictObject({
    type: z.literal("base64"),
    media_type: z.enum(["image/jpeg", "image/png", "image/gif", "image/webp"]),
    data: z.base64().min(1),
  }),
  ...cached,
});
const Document = z.strictObject({
  type: z.literal("document"),
  source: z.strictObject({
    type: z.literal("base64"),
    media_type: z.literal("application/pdf"),
    data: z.base64().min(1),
  }),
  title: z.string().optional(),
  ...cached,
});
const ToolId = z.string().regex(/^[a-zA-Z0-9_-]+$/);
const ToolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: ToolId,
  content: z.array(z.discriminatedUnion("type", [Text, Image, Document])),
  is_error: z.boolean(),
  ...cached,
});
const ToolUse = z.strictObject({
  type: z.literal("tool_use"),
  id: ToolId,
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  input: z.record(z.string(), z.unknown()),
  ...cached,
});
const Thinking = z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string().min(1) });
const RedactedThinking = z.strictObject({ type: z.literal("redacted_thinking"), data: z.string().min(1) });

const User = z.strictObject({
  role: z.literal("user"),
  content: z.array(z.discriminatedUnion("type", [Text, Image, Document, ToolResult])).min(1),
});
const Assistant = z.strictObject({
  role: z.literal("assistant"),
  content: z.array(z.discriminatedUnion("type", [Text, ToolUse, Thinking, RedactedThinking])).min(1),
});

export const MessagesRequest = z.strictObject({
  model: z.string().min(1),
  max_tokens: z.number().int().min(1),
  stream: z.literal(true),
  messages: z.array(z.discriminatedUnion("role", [User, Assistant])).min(1),
  system: z.array(Text).optional(),
  tools: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
        description: z.string(),
        input_schema: z.looseObject({ type: z.literal("object") }),
        ...cached,
      }),
    )
    .min(1)
    .optional(),
  thinking: z
    .discriminatedUnion("type", [
      z.strictObject({ type: z.literal("enabled"), budget_tokens: z.number().int().min(1024) }),
      z.strictObject({ type: z.literal("adaptive") }),
      z.strictObject({ type: z.literal("disabled") }),
    ])
    .optional(),
  output_config: z.strictObject({ effort: z.enum(["low", "medium", "high", "xhigh", "max"]) }).optional(),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;
type Message = MessagesRequest["messages"][number];

const CACHE_MARKS_MAX = 4;

/**
 * What the Messages API would refuse the body for; null when it is good. Stricter than the API in one thing: roles must
 * alternate, where the API would join neighbours.
 * @param thinkingIssued text of the thinking blocks that were sent, by signature
 */
export function refusalOf(body: unknown, thinkingIssued: ReadonlyMap<string, string>): string | null {
  const parsed = MessagesRequest.safeParse(body);
  if (!parsed.success) return z.prettifyError(parsed.error);
  const request = parsed.data;
  const { messages } = request;
  return (
    rolesRefusal(messages) ??
    messages.map((message, index) => messageRefusal(message, messages[index + 1], index)).find((why) => why !== null) ??
    toolsRefusal(request) ??
    thinkingRefusal(messages, thinkingIssued) ??
    cacheRefusal(body)
  );
}

function rolesRefusal(messages: readonly Message[]): string | null {
  const wrong = messages.findIndex(({ role }, index) => role !== (index % 2 === 0 ? "user" : "assistant"));
  if (wrong !== -1)
    return `messages.${wrong}: roles must alternate between "user" and "assistant", starting with "user"`;
  return messages.at(-1)?.role === "user" ? null : "messages: the last message must be the user's";
}

function messageRefusal(message: Message, next: Message | undefined, index: number): string | null {
  if (message.role === "user") {
    if (index === 0 && message.content.some((block) => block.type === "tool_result"))
      return "messages.0: a tool_result without its tool_use";
    return null;
  }
  const last = message.content.at(-1)?.type;
  if (last === "thinking" || last === "redacted_thinking") {
    return `messages.${index}: the final block in an assistant message cannot be \`thinking\``;
  }
  const asked = message.content.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
  const following = next?.role === "user" ? next.content : [];
  const answered = following.flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id] : []));
  if (asked.toSorted().join() !== answered.toSorted().join()) {
    return `messages.${index}: tool_use ids [${asked.join()}] are answered by tool_result ids [${answered.join()}]`;
  }
  if (following.slice(0, answered.length).some((block) => block.type !== "tool_result")) {
    return `messages.${index + 1}: tool_result blocks must come first`;
  }
  return null;
}

function toolsRefusal({ tools, messages, thinking, max_tokens }: MessagesRequest): string | null {
  const blocks = messages.flatMap((message) => message.content.map((block) => block.type));
  if (!tools && blocks.includes("tool_use")) return "requests which include `tool_use` blocks must define tools";
  if (thinking?.type === "enabled" && thinking.budget_tokens >= max_tokens)
    return "max_tokens must be greater than thinking.budget_tokens";
  return null;
}

function thinkingRefusal(messages: readonly Message[], issued: ReadonlyMap<string, string>): string | null {
  for (const block of messages.flatMap((message): Message["content"][number][] => message.content)) {
    if (block.type === "thinking" && issued.get(block.signature) !== block.thinking) {
      return "invalid `signature` in `thinking` block";
    }
  }
  return null;
}

function cacheRefusal(body: unknown): string | null {
  const marks = JSON.stringify(body).split('"cache_control":').length - 1;
  return marks > CACHE_MARKS_MAX ? `a maximum of ${CACHE_MARKS_MAX} blocks with cache_control may be provided` : null;
}
