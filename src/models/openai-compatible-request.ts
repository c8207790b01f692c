import type { ModelContent, ModelMessage, ModelRequest } from "./model-provider.ts";

type UserContent = Extract<ModelMessage, { role: "user" }>["content"][number];
type ToolResult = Extract<UserContent, { type: "tool_result" }>;

export type ChatPart = { type: "text"; text: string } | { type: "image_url"; image_url: { url: string } };
export type ChatMessage =
  | { role: "system"; content: string }
  | { role: "user"; content: string | ChatPart[] }
  | { role: "assistant"; content: string | null; tool_calls?: ChatToolCall[] }
  | { role: "tool"; tool_call_id: string; content: string };
export interface ChatToolCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}
export interface ChatRequest {
  model: string;
  stream: true;
  stream_options: { include_usage: true };
  messages: ChatMessage[];
  tools?: { type: "function"; function: { name: string; description: string; parameters: object } }[];
}

const IMAGE_TYPES = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const EMPTY = "(empty)";
const FAILED_CALL = "[This call failed.]\n";
const NOT_IN_A_NAME = /[^a-zA-Z0-9_-]/g;
const NAME_CHARS_MAX = 64;

/**
 * The body of a chat completion. Pure.
 *
 * `maxTokens` is left out: without it every server writes until the context is full. With it vLLM refuses what might
 * not fit, and its name is `max_tokens` to some and `max_completion_tokens` to others. `effort` is left out, for models
 * that don't reason refuse it, and so is earlier thinking.
 */
export function toChatRequest({ model, system, messages, tools }: ModelRequest): ChatRequest {
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [...(system ? [{ role: "system" as const, content: system }] : []), ...messages.flatMap(toMessages)],
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, inputSchema }) => ({
        type: "function" as const,
        function: { name, description, parameters: { ...inputSchema, type: "object" } },
      })),
    }),
  };
}

function toMessages(message: ModelMessage): ChatMessage[] {
  return message.role === "assistant" ? toAssistantMessage(message.content) : toUserMessages(message.content);
}

function toAssistantMessage(content: Extract<ModelMessage, { role: "assistant" }>["content"]): ChatMessage[] {
  const text = content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n\n");
  const calls = content.flatMap((block): ChatToolCall[] =>
    block.type === "tool_use"
      ? [
          {
            id: block.id,
            type: "function",
            function: { name: toName(block.name), arguments: JSON.stringify(block.input) },
          },
        ]
      : [],
  );
  if (calls.length === 0) return text === "" ? [] : [{ role: "assistant", content: text }];
  return [{ role: "assistant", content: text === "" ? null : text, tool_calls: calls }];
}

/** Results come first, each a message. Those are text only, so what they show comes with what the user says next. */
function toUserMessages(content: readonly UserContent[]): ChatMessage[] {
  const results = content.filter((block) => block.type === "tool_result");
  const shown = results.flatMap(imagesOf);
  const said = content.flatMap((block) => (block.type === "tool_result" ? [] : [toPart(block)]));
  const parts = [...shown, ...said];
  return [...results.map(toToolMessage), ...(parts.length > 0 ? [toUserMessage(parts)] : [])];
}

function toToolMessage({ toolUseId, content, isError }: ToolResult): ChatMessage {
  const texts = content.map(toPart).map((part) => (part.type === "text" ? part.text : "[An image, shown below.]"));
  return { role: "tool", tool_call_id: toolUseId, content: (isError ? FAILED_CALL : "") + (texts.join("\n") || EMPTY) };
}

function imagesOf({ toolUseId, content }: ToolResult): ChatPart[] {
  const images = content.map(toPart).filter((part) => part.type === "image_url");
  return images.length > 0 ? [{ type: "text", text: `[Shown by the call ${toolUseId}:]` }, ...images] : [];
}

/** Plain text where it will do: chat templates of some models take nothing else. */
function toUserMessage(parts: ChatPart[]): ChatMessage {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  return { role: "user", content: texts.length === parts.length ? texts.join("\n\n") : parts };
}

function toPart(block: ModelContent): ChatPart {
  if (block.type === "text") return { type: "text", text: block.text.trim() === "" ? EMPTY : block.text };
  if (block.type === "image") {
    if (IMAGE_TYPES.includes(block.mediaType))
      return { type: "image_url", image_url: { url: `data:${block.mediaType};base64,${block.data}` } };
    return { type: "text", text: `[An image of type ${block.mediaType}, which can't be shown.]` };
  }
  const title = block.title ? ` "${block.title}"` : "";
  if (block.mediaType === "application/pdf")
    return { type: "text", text: `[A PDF document${title}, which can't be shown.]` };
  return { type: "text", text: Buffer.from(block.data, "base64").toString("utf8").trim() || EMPTY };
}

/** A model may call a tool by a name that no tool has; some servers refuse it in the history. */
function toName(name: string): string {
  return name.replaceAll(NOT_IN_A_NAME, "_").slice(0, NAME_CHARS_MAX) || "_";
}
