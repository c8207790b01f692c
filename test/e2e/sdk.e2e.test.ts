import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MODEL } from "../../bench/names.ts";
import { bash, calls, gate, says } from "../fakes/messages-answer.ts";
import { converse, newSession, sendText, toolResults } from "./support/conversation.ts";
import { createTestHome, type TestHome } from "./support/test-home.ts";

let home: TestHome;
let baseURL: string;
let client: Anthropic;
beforeAll(async () => {
  home = await createTestHome();
  baseURL = (await home.up(null, "0")).url ?? "";
  client = new Anthropic({ baseURL, apiKey: home.apiKey });
});
afterAll(() => home.close());

describe("the official SDK, with nothing changed but where it connects to", () => {
  it.each([
    ["x-api-key", () => new Anthropic({ baseURL, apiKey: home.apiKey, authToken: null })],
    ["Authorization: Bearer", () => new Anthropic({ baseURL, apiKey: null, authToken: home.apiKey })],
  ])("takes a file through a session and brings one back, with %s", async (_header, create) => {
    const sdk = create();
    const sales = await toFile(Buffer.from("region,amount\nnorth,1\nsouth,2\n"), "sales.csv", { type: "text/csv" });
    const uploaded = await sdk.beta.files.upload({ file: sales });
    const sessionId = await newSession(sdk, {
      resources: [{ type: "file", file_id: uploaded.id, mount_path: "/mnt/session/uploads/sales.csv" }],
    });
    const command = "tail -n +2 /mnt/session/uploads/sales.csv | tee /mnt/session/outputs/rows.csv | wc -l";
    home.model.play("How many rows?", bash(command), says("There are ", "two rows."));

    const events = await converse(sdk, sessionId, "How many rows?");
    expect(toolResults(events)).toEqual([{ text: "2\n", is_error: false }]);
    expect(events.find(({ type }) => type === "agent.message")).toMatchObject({
      content: [{ type: "text", text: "There are two rows." }],
    });
    const listed = [];
    for await (const event of sdk.beta.sessions.events.list(sessionId)) listed.push(event);
    expect(listed).toEqual(events);
    expect(await sdk.beta.sessions.retrieve(sessionId)).toMatchObject({ status: "idle" });

    const files = await sdk.beta.files.list({ scope_id: sessionId });
    const made = files.data.find(({ filename }) => filename === "rows.csv");
    expect(made).toMatchObject({ downloadable: true, size_bytes: "north,1\nsouth,2\n".length });
    const download = await sdk.beta.files.download(made?.id ?? "");
    expect(await download.text()).toBe("north,1\nsouth,2\n");
    const { url } = await sdk.post<{ url: string }>(`/v1/files/${made?.id}/link`, { body: {} });
    expect(url.startsWith(`${baseURL}/download/`)).toBe(true);
    expect(await (await fetch(url)).text()).toBe("north,1\nsouth,2\n");
  });
});

describe("the SDK's tool runner", () => {
  it("gives the agent a tool of the client's own, beside those of the sandbox", async () => {
    const description = "Looks up an order.";
    const schema = { type: "object" as const, properties: { id: { type: "number" as const } } };
    const custom = { type: "custom" as const, name: "look_up", description, input_schema: schema };
    const tools = [{ type: "agent_toolset_20260401" as const }, custom];
    const agent = await client.beta.agents.create({ name: "clerk", model: MODEL, tools });
    const sessionId = await newSession(client, { agent: agent.id });
    home.model.play(
      "Where is order 7?",
      calls({ name: "look_up", input: { id: 7 } }, { name: "bash", input: { command: "echo $((3 + 4))" } }),
      says("On its way."),
    );
    const lookUp = betaTool({
      name: "look_up",
      description,
      inputSchema: schema,
      run: ({ id }) => `order ${String(id)} is on its way`,
    });
    await sendText(client, sessionId, "Where is order 7?");
    const answered = [];
    for await (const call of client.beta.sessions.events.toolRunner(sessionId, { tools: [lookUp], maxIdleMs: 500 })) {
      if (call.name === "look_up") answered.push(call.posted);
    }
    expect(answered).toEqual([true]);
    const events = [];
    for await (const event of client.beta.sessions.events.list(sessionId)) events.push(event);
    expect(toolResults(events)).toEqual([{ text: "7\n", is_error: false }]);
    expect(events.filter(({ type }) => type === "user.custom_tool_result")).toMatchObject([
      { content: [{ text: "order 7 is on its way" }], is_error: false },
    ]);
    expect(events.findLast(({ type }) => type === "agent.message")).toMatchObject({
      content: [{ text: "On its way." }],
    });
    const { data } = await client.beta.sessions.threads.list(sessionId);
    expect(data).toMatchObject([{ status: "idle", usage: { output_tokens: expect.any(Number) } }]);
  });
});

describe("bad input leaves the session usable", () => {
  it("a command that prints 1 GB", async () => {
    const sessionId = await newSession(client);
    home.model.play("flood", bash("yes 0123456789abcdef | head -c 1000000000; echo; echo the end"), says("Done."));
    const [result] = toolResults(await converse(client, sessionId, "flood"));
    expect(result?.text.length).toBeLessThan(200_000);
    expect(result?.text).toContain("the end");
    await expectUsable(sessionId);
  });

  it("a tool that does not exist, arguments of the wrong type, none, and arguments that are no JSON", async () => {
    const sessionId = await newSession(client);
    home.model.play(
      "nonsense calls",
      calls({ name: "teleport", input: { to: "moon" } }, { name: "bash", input: { command: 42 } }),
      calls({ name: "read", input: {} }),
      { content: [{ type: "tool_use", name: "bash", input: {}, json: '{"command": "ec' }], stopReason: "tool_use" },
      says("I give up."),
    );
    const results = toolResults(await converse(client, sessionId, "nonsense calls"));
    expect(results).toHaveLength(4);
    expect(results.every(({ is_error }) => is_error)).toBe(true);
    expect(results.map(({ text }) => text)).toEqual([
      expect.stringContaining("teleport"),
      expect.stringContaining("command"),
      expect.stringContaining("file_path"),
      expect.stringContaining("command"),
    ]);
    await expectUsable(sessionId);
  });

  it("text that is none, and bytes that are no text, printed and read", async () => {
    const sessionId = await newSession(client);
    await expect(sendText(client, sessionId, "a \u0000 byte")).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    const write = String.raw`printf 'a\0b\377\376c' | tee /workspace/blob`;
    const read = calls({ name: "read", input: { file_path: "/workspace/blob" } });
    home.model.play("bytes", bash(write), read, says("Odd."));
    expect(toolResults(await converse(client, sessionId, "bytes"))).toHaveLength(2);
    await expectUsable(sessionId);
  });

  it("a model whose answer breaks off, or is no JSON: it is asked again", async () => {
    const sessionId = await newSession(client);
    home.model.play("broken", (attempt) => {
      if (attempt === 0) return { ...says("Half ", "an"), ending: "cut" };
      return attempt === 1 ? { ...says("Not ", "JSON"), ending: "broken_json" } : says("At last.");
    });
    const stream = await client.beta.sessions.events.stream(sessionId);
    await sendText(client, sessionId, "broken");
    const types: string[] = [];
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === "session.status_idle") break;
    }
    expect(types.filter((type) => type === "session.error")).toHaveLength(2);
    expect(types.filter((type) => type === "agent.message")).toHaveLength(1);
    await expectUsable(sessionId);
  });

  it("a model that hangs: an interrupt ends the turn", async () => {
    const sessionId = await newSession(client);
    const held = gate();
    home.model.play("hang", { ...says("I am ", "thinking"), middle: held, ending: "silence" });
    const stream = await client.beta.sessions.events.stream(sessionId);
    await sendText(client, sessionId, "hang");
    await held.reached;
    await client.beta.sessions.events.send(sessionId, { events: [{ type: "user.interrupt" }] });
    for await (const event of stream) if (event.type === "session.status_idle") break;
    held.open();
    await expectUsable(sessionId);
  });

  async function expectUsable(sessionId: string): Promise<void> {
    home.model.play("still there?", bash("echo yes"), says("Yes."));
    const events = await converse(client, sessionId, "still there?");
    expect(toolResults(events)).toEqual([{ text: "yes\n", is_error: false }]);
    expect(events.at(-1)).toMatchObject({ stop_reason: { type: "end_turn" } });
  }
});
