import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bash, calls, refuses, says } from "../fakes/messages-answer.ts";
import { type ChatApi, startChatApi } from "../fakes/openai-chat.ts";
import { converse, sendText, type StreamedEvent, toolResults } from "./support/conversation.ts";
import { createTestHome, type TestHome } from "./support/test-home.ts";

const MODEL = "meta-llama/Llama-3.3-70B";
const PRICES = JSON.stringify({ [MODEL]: { input: 1_000, output: 2_000 } });

let api: ChatApi;
let home: TestHome;
let client: Anthropic;
beforeAll(async () => {
  api = await startChatApi({ models: [MODEL] });
  home = await createTestHome({
    ANTHROPIC_API_KEY: "",
    ANTHROPIC_BASE_URL: "",
    OPENAI_BASE_URL: api.url,
    OPENAI_API_KEY: api.apiKey,
    OPENAI_MODELS: `${MODEL}:131072`,
    DECKHAND_MODEL_PRICES: PRICES,
  });
  client = new Anthropic({ baseURL: (await home.up(null, "0")).url, apiKey: home.apiKey });
});
afterAll(async () => {
  await home.close();
  await api.close();
  if (api.violations.length > 0) throw new Error(`The server refused: ${api.violations.join("; ")}`);
});

async function newSession(): Promise<string> {
  const agent = await client.beta.agents.create({
    name: "tester",
    model: MODEL,
    tools: [{ type: "agent_toolset_20260401" }],
  });
  const environment = await client.beta.environments.create({ name: "any" });
  return (await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id })).id;
}

describe("Deckhand with no model but one of its own", () => {
  it("lists it first, with the size of its context", async () => {
    const { data } = await client.models.list();
    expect(data[0]).toMatchObject({ id: MODEL, max_input_tokens: 131_072 });
    expect(await client.models.retrieve(MODEL)).toMatchObject({ id: MODEL });
  });

  it("runs a session on it: tools in a real sandbox, text as it comes, and what it cost", async () => {
    const sessionId = await newSession();
    const usage = { input_tokens: 1_000, output_tokens: 500 };
    api.queue({ ...bash("seq 3 | tee /mnt/session/outputs/rows.csv | wc -l"), habit: "same_index", usage });
    api.queue({ ...says("There are ", "three."), usage });

    const stream = await client.beta.sessions.events.stream(sessionId, { event_deltas: ["agent.message"] });
    await sendText(client, sessionId, "how many rows?");
    const events: StreamedEvent[] = [];
    for await (const event of stream) {
      events.push(event);
      if (event.type === "session.status_idle") break;
    }
    expect(toolResults(events)).toEqual([{ text: "3\n", is_error: false }]);
    const deltas = events.flatMap((event) => (event.type === "event_delta" ? [Object(event.delta.content).text] : []));
    expect(deltas).toEqual(["There are ", "three."]);
    expect(events.find(({ type }) => type === "agent.message")).toMatchObject({
      content: [{ type: "text", text: "There are three." }],
    });
    const { usage: used } = await client.beta.sessions.retrieve(sessionId);
    expect(used).toMatchObject({ input_tokens: 2_000, output_tokens: 1_000 });
    const cents = Number(Object(used).list_cost.amount);
    expect(cents).toBeGreaterThanOrEqual(400);
    expect(cents).toBeLessThan(500);
    const files = await client.beta.files.list({ scope_id: sessionId });
    expect(files.data.map(({ filename }) => filename)).toEqual(["rows.csv"]);
  });

  it("gets over its errors, and over calls of nonsense", async () => {
    const sessionId = await newSession();
    api.queue(
      refuses(503),
      { ...says("half", " an", " answer"), ending: "cut" },
      calls({ name: "teleport", input: {} }),
      { content: [{ type: "tool_use", name: "bash", input: {}, json: '{"command": "l' }], stopReason: "tool_use" },
      says("Here I am."),
    );
    const events = await converse(client, sessionId, "hello?");
    const errors = events.flatMap((event) => (event.type === "session.error" ? [event.error] : []));
    expect(errors).toMatchObject([
      { type: "model_overloaded_error", retry_status: { type: "retrying" } },
      { type: "model_request_failed_error", retry_status: { type: "retrying" } },
    ]);
    expect(toolResults(events).map(({ is_error }) => is_error)).toEqual([true, true]);
    expect(events.flatMap((event) => (event.type === "agent.message" ? event.content : []))).toMatchObject([
      { text: "Here I am." },
    ]);
  });
});
