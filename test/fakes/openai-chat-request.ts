import { z } from "zod";

/** A blank message is a mistake of whoever sends it. */
const Text = z.string().regex(/\S/, "content must not be blank");
const ToolName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
const CallId = z.string().min(1).max(40);
const ImageUrl = z.string().regex(/^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/);
const Part = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: Text }),
  z.strictObject({ type: z.literal("image_url"), image_url: z.strictObject({ url: ImageUrl }) }),
]);
const ToolCall = z.strictObject({
  id: CallId,
  type: z.literal("function"),
  function: z.strictObject({ name: ToolName, arguments: z.string().refine(isJsonObject, "must be a JSON object") }),
});

const Message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), content: Text }),
  z.strictObject({ role: z.literal("user"), content: z.union([Text, z.array(Part).min(1)]) }),
  z.strictObject({
    role: z.literal("assistant"),
    content: Text.nullable(),
    tool_calls: z.array(ToolCall).min(1).optional(),
  }),
  z.strictObject({ role: z.literal("tool"), tool_call_id: CallId, content: Text }),
]);
type Message = z.infer<typeof Message>;

export const ChatRequest = z.strictObject({
  model: z.string().min(1),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.literal(true) }),
  messages: z.array(Message).min(1),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function"),
        function: z.strictObject({
          name: ToolName,
          description: z.string(),
          parameters: z.looseObject({ type: z.literal("object") }),
        }),
      }),
    )
    .min(1)
    .optional(),
});
export type ChatRequest = z.infer<typeof ChatRequest>;

/** What may follow a role. Stricter than OpenAI, which takes any order of users and assistants; chat templates do not. */
const FOLLOWS: Record<Message["role"] | "nothing", readonly Message["role"][]> = {
  nothing: ["system", "user"],
  system: ["user"],
  user: ["assistant"],
  assistant: ["user", "tool"],
  tool: ["tool", "user", "assistant"],
};

/** What a server would refuse the body for; null when it is good. */
export function refusalOfChat(body: unknown): string | null {
  const parsed = ChatRequest.safeParse(body);
  if (!parsed.success) return z.prettifyError(parsed.error);
  const { messages, tools } = parsed.data;
  if (!tools && messages.some(({ role }) => role === "tool")) return "messages with tool calls must come with tools";
  return orderRefusal(messages) ?? callsRefusal(messages);
}

function orderRefusal(messages: readonly Message[]): string | null {
  const wrong = messages.findIndex(({ role }, i) => !FOLLOWS[messages[i - 1]?.role ?? "nothing"].includes(role));
  if (wrong !== -1) return `messages.${wrong}: ${messages[wrong]?.role} can't follow ${messages[wrong - 1]?.role}`;
  const last = messages.at(-1)?.role;
  return last === "user" || last === "tool" ? null : `messages: the last one is of ${last}`;
}

function callsRefusal(messages: readonly Message[]): string | null {
  for (const [index, message] of messages.entries()) {
    if (message.role !== "assistant") continue;
    if (message.content === null && !message.tool_calls) return `messages.${index}: neither content nor tool_calls`;
    const asked = (message.tool_calls ?? []).map(({ id }) => id);
    const answered = answersAfter(messages, index);
    if (asked.toSorted().join() !== answered.toSorted().join()) {
      return `messages.${index}: tool_calls [${asked.join()}] must be followed by tool messages, not [${answered.join()}]`;
    }
  }
  return null;
}

/** Ids of the tool messages that come right after a message. */
function answersAfter(messages: readonly Message[], index: number): string[] {
  const following = messages.slice(index + 1);
  const end = following.findIndex(({ role }) => role !== "tool");
  return following
    .slice(0, end === -1 ? undefined : end)
    .flatMap((message) => (message.role === "tool" ? [message.tool_call_id] : []));
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
