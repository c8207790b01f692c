import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModelInfo } from "../../src/models/model-provider.ts";
import { createOpenAiCompatibleProvider } from "../../src/models/openai-compatible.ts";
import { createModelRegistry } from "../../src/models/registry.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { EventOf, EventPreview } from "../../src/schemas/event.ts";
import { bash, calls, refuses, says } from "../fakes/messages-answer.ts";
import { type ChatApi, startChatApi } from "../fakes/openai-chat.ts";
import { textResult } from "../fakes/sandbox.ts";
import { type HarnessRig, IDLE, resultsByCall, spoken, startHarnessRig } from "../support/harness-rig.ts";

const MODEL: ModelInfo = {
  id: "qwen3:8b",
  displayName: "qwen3:8b",
  createdAt: "1970-01-01T00:00:00Z",
  contextWindowTokens: 40_960,
  maxOutputTokens: 40_960,
  price: null,
};
const PRICE = { input: 1, output: 2, cache_write_5m: 1, cache_write_1h: 1, cache_read: 0.5 };

describe("a session on an OpenAI-compatible model", () => {
  let rig: HarnessRig;
  let api: ChatApi;
  let previews: EventPreview[] = [];
  beforeAll(async () => {
    rig = await startHarnessRig();
    api = await startChatApi();
  });
  afterAll(async () => {
    await api.close();
    await rig.close();
    if (api.violations.length > 0) throw new Error(`The server refused: ${api.violations.join("; ")}`);
  });

  const newSession = () =>
    rig.newSession({ agent: { model: { id: MODEL.id, effort: { type: "high" }, speed: "standard" } } });
  const run = async (id: string, silenceTimeoutMs = 20_000) => {
    const options = { baseUrl: api.url, apiKey: new Secret(api.apiKey), models: [MODEL], silenceTimeoutMs };
    const registry = createModelRegistry([createOpenAiCompatibleProvider(options)], { [MODEL.id]: PRICE });
    const log = { ...rig.log, preview: (_id: string, preview: EventPreview) => void previews.push(preview) };
    await rig.prisma.session.update({ where: { id }, data: { wakeAt: null } });
    await rig.runSession(id, { findModel: registry.find, log });
  };
  const turn = async (id: string, words: string) => {
    previews = [];
    await rig.send(id, words);
    await run(id);
  };
  const shown = () =>
    previews.flatMap((preview) => (preview.type === "event_delta" ? [preview.delta.content.text] : []));
  const errors = async (id: string) =>
    (await rig.events(id)).filter((event): event is EventOf<"session.error"> => event.type === "session.error");

  it("calls tools, thinks, streams what it writes and counts what it used", async () => {
    const id = await newSession();
    rig.run = async (op) => textResult(`ran ${op.op === "bash" ? op.command : op.op}`);
    const thinking = { type: "thinking" as const, thinking: "Two things are to be done.", signature: "" };
    const two = calls({ name: "bash", input: { command: "ls" } }, { name: "bash", input: { command: "date" } });
    const usage = { input_tokens: 100, output_tokens: 20, cache_read_input_tokens: 60 };
    api.queue({ ...two, content: [thinking, ...two.content], habit: "no_ids", usage });
    api.queue({ ...says("It is ", "done."), usage });
    await turn(id, "do two things");

    const events = await rig.events(id);
    expect(events.map(({ type }) => type).filter((type) => type.startsWith("agent."))).toEqual([
      "agent.thinking",
      "agent.tool_use",
      "agent.tool_use",
      "agent.tool_result",
      "agent.tool_result",
      "agent.message",
    ]);
    expect(resultsByCall(events).map(([result]) => result?.text)).toEqual(["ran ls", "ran date"]);
    expect(spoken(events)).toEqual(["It is done."]);
    expect(shown()).toEqual(["It is ", "done."]);
    const message = events.find(({ type }) => type === "agent.message");
    expect(previews.at(-1)).toMatchObject({ event_id: message?.id });
    expect(events.filter(({ type }) => type === "span.model_request_end")).toMatchObject([
      { model_usage: { input_tokens: 100, output_tokens: 20, cache_read_input_tokens: 60 } },
      { model_usage: { input_tokens: 100, output_tokens: 20, cache_read_input_tokens: 60 } },
    ]);
    expect((await rig.types(id)).slice(-3)).toEqual(IDLE);
    expect(api.requests.at(-1)?.messages.map(({ role }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "tool",
      "tool",
    ]);
  });

  it("tells the model of calls that can't run, and goes on", async () => {
    const id = await newSession();
    const begun = rig.sandboxes.begun.length;
    api.queue(
      calls({ name: "assistant<|channel|>bash", input: { command: "ls" } }, { name: "write", input: ["no object"] }),
      { content: [{ type: "tool_use", name: "bash", input: {}, json: '{"command": "ls' }], stopReason: "tool_use" },
      { ...bash("rm -rf /"), stopReason: "max_tokens" },
      says("I see."),
    );
    await turn(id, "go wrong");
    const results = resultsByCall(await rig.events(id)).flat();
    expect(results.map(({ isError }) => isError)).toEqual([true, true, true, true]);
    expect(results[2]?.text).toContain("invalid_json");
    expect(results[3]?.text).toContain("cut_off_at_output_limit");
    expect(rig.sandboxes.begun.length).toBe(begun);
    expect(spoken(await rig.events(id))).toEqual(["I see."]);
  });

  it.each([
    ["429", refuses(429), "model_rate_limited_error"],
    ["503", refuses(503), "model_overloaded_error"],
    ["a cut connection", { ...says("a", "b", "c"), ending: "cut" as const }, "model_request_failed_error"],
    ["broken JSON", { ...says("a", "b", "c"), ending: "broken_json" as const }, "model_request_failed_error"],
    ["an error in mid-stream", { ...says("a", "b", "c"), ending: "error_frame" as const }, "model_overloaded_error"],
  ])("%s: pauses, tries again and succeeds, with no trace of the failed answer", async (_name, answer, type) => {
    const id = await newSession();
    api.queue(answer, says("At last."));
    await turn(id, "hi");
    expect((await rig.row(id)).status).toBe("rescheduling");
    await run(id);
    expect(spoken(await rig.events(id))).toEqual(["At last."]);
    expect(await errors(id)).toMatchObject([{ error: { type, retry_status: { type: "retrying" } } }]);
    expect((await rig.row(id)).status).toBe("idle");
  });

  it("ends the turn at once where trying again is no use, and takes the next message", async () => {
    const id = await newSession();
    api.queue(refuses(401), says("Here I am."));
    await turn(id, "hi");
    expect(await errors(id)).toMatchObject([{ error: { retry_status: { type: "exhausted" } } }]);
    await turn(id, "hello?");
    expect(spoken(await rig.events(id))).toEqual(["Here I am."]);
  });

  it("says so when the answer was filtered", async () => {
    const id = await newSession();
    api.queue({ ...says("No."), stopReason: "refusal" });
    await turn(id, "hi");
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "refusal" } });
  });

  it("compacts before the context is full", async () => {
    const id = await newSession();
    rig.run = async () => textResult("files");
    api.queue({ ...bash("ls"), usage: { input_tokens: 40_000 } }, says("The summary."), says("Done."));
    await turn(id, "a long task");
    expect(await rig.types(id)).toContain("agent.thread_context_compacted");
    expect(spoken(await rig.events(id))).toEqual(["Done."]);
    expect(JSON.stringify(api.requests.at(-1)?.messages)).toContain("The summary.");
  });
});
