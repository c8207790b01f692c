import type Anthropic from "@anthropic-ai/sdk";
import { MODEL } from "../../../bench/names.ts";

type SessionCreateParams = Parameters<Anthropic["beta"]["sessions"]["create"]>[0];
type Streamed = Awaited<ReturnType<Anthropic["beta"]["sessions"]["events"]["stream"]>>;
export type StreamedEvent = Streamed extends AsyncIterable<infer Event> ? Event : never;

/** A session of a new agent with all built-in tools. Returns its id. */
export async function newSession(client: Anthropic, more: Partial<SessionCreateParams> = {}): Promise<string> {
  const tools = [{ type: "agent_toolset_20260401" as const }];
  const agent = await client.beta.agents.create({ name: "tester", model: MODEL, tools });
  const environment = await client.beta.environments.create({ name: "any" });
  const session = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id, ...more });
  return session.id;
}

export async function sendText(client: Anthropic, sessionId: string, text: string): Promise<void> {
  await client.beta.sessions.events.send(sessionId, {
    events: [{ type: "user.message", content: [{ type: "text", text }] }],
  });
}

/** Sends a message and returns what the stream shows until the session is idle. */
export async function converse(client: Anthropic, sessionId: string, text: string): Promise<StreamedEvent[]> {
  const stream = await client.beta.sessions.events.stream(sessionId);
  await sendText(client, sessionId, text);
  const events: StreamedEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (event.type === "session.status_idle") return events;
  }
  throw new Error(`The stream ended before the session was idle, after ${events.length} events.`);
}

/** The tool results among events, as text and flag. */
export function toolResults(events: readonly StreamedEvent[]): { text: string; is_error: boolean }[] {
  return events.flatMap((event) => {
    if (event.type !== "agent.tool_result") return [];
    const texts = (event.content ?? []).map((block) => (block.type === "text" ? block.text : `[${block.type}]`));
    return [{ text: texts.join("\n"), is_error: event.is_error ?? false }];
  });
}
