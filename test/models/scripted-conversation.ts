import type { ModelMessage, ModelProvider, ModelRequest, ModelResponse } from "../../src/models/model-provider.ts";
import { createScriptedProvider } from "../../src/models/scripted.ts";
import { defaultScripts } from "../../src/models/scripts/default-scripts.ts";
import type { CallResult, ToolCall } from "../../src/models/scripts/script.ts";

export const TABLE = "/mnt/session/uploads/orders.csv";

const TOOLS = ["bash", "read", "write", "edit", "glob", "grep"].map((name) => ({
  name,
  description: "",
  inputSchema: {},
}));

/** How a call ends, as the harness would tell the model. */
export type Outcome = (call: ToolCall) => CallResult | string;

/** A conversation with the scripted model in which tool results are made up by the test. */
export interface Conversation {
  messages: ModelMessage[];
  /** Asks the model once; its answer and, when it calls tools, their results join the conversation. */
  ask(): Promise<ModelResponse>;
  say(text: string): void;
  /** Asks until the model calls no more tools. */
  finish(): Promise<string>;
}

export function converse(
  outcome: Outcome,
  {
    uploads = [TABLE],
    provider = createScriptedProvider({ scripts: defaultScripts() }),
  }: { uploads?: string[]; provider?: ModelProvider } = {},
): Conversation {
  const messages: ModelMessage[] = [];
  const say = (text: string) => {
    const last = messages.at(-1);
    if (last?.role === "user") last.content.push({ type: "text", text });
    else messages.push({ role: "user", content: [{ type: "text", text }] });
  };
  const ask = async () => {
    const response = await respond(provider, request(messages, uploads));
    messages.push({ role: "assistant", content: response.content });
    const calls = callsOf(response);
    if (calls.length > 0)
      messages.push({ role: "user", content: calls.map((call) => toolResult(call, outcome(call))) });
    return response;
  };
  const finish = async () => {
    for (let turn = 0; turn < 40; turn++) {
      const response = await ask();
      if (response.stopReason === "end_turn") return textOf(response);
    }
    throw new Error("The script did not come to an end.");
  };
  return { messages, ask, say, finish };
}

export function request(messages: ModelMessage[], uploads: string[] = []): ModelRequest {
  const system =
    uploads.length > 0 ? `# Files that you were given\n${uploads.map((path) => `- ${path}`).join("\n")}` : null;
  return { model: "deckhand-scripted", effort: "medium", system, messages, tools: TOOLS, maxTokens: 1000 };
}

export async function respond(provider: ModelProvider, asked: ModelRequest): Promise<ModelResponse> {
  for await (const event of provider.stream(asked, new AbortController().signal)) {
    if (event.type === "response") return event.response;
  }
  throw new Error("The stream ended without a response.");
}

export function callsOf(response: ModelResponse): (ToolCall & { id: string })[] {
  return response.content.flatMap((block) =>
    block.type === "tool_use" ? [{ id: block.id, name: block.name, input: { ...Object(block.input) } }] : [],
  );
}

export function textOf(response: ModelResponse): string {
  return response.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
}

/** Commands the model has given to bash so far, oldest first. */
export function commandsIn(messages: readonly ModelMessage[]): string[] {
  return messages.flatMap((message) =>
    message.role === "assistant"
      ? message.content.flatMap((block) =>
          block.type === "tool_use" && block.name === "bash" ? [String(Object(block.input).command)] : [],
        )
      : [],
  );
}

function toolResult(call: { id: string }, given: CallResult | string) {
  const { text, isError } = typeof given === "string" ? { text: given, isError: false } : given;
  return { type: "tool_result" as const, toolUseId: call.id, content: [{ type: "text" as const, text }], isError };
}
