import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelError, type ModelRequest, type ModelStreamEvent } from "../../src/models/model-provider.ts";
import { createOpenAiCompatibleProvider } from "../../src/models/openai-compatible.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { gate, refuses, says } from "../fakes/messages-answer.ts";
import { type ChatApi, startChatApi } from "../fakes/openai-chat.ts";

const SILENCE_TIMEOUT_MS = 250;
const MODEL = "qwen3:8b";
const REQUEST: ModelRequest = {
  model: MODEL,
  effort: "low",
  system: null,
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [],
  maxTokens: 100,
};

describe("the provider of OpenAI-compatible models", () => {
  let api: ChatApi;
  beforeAll(async () => {
    api = await startChatApi({ models: [MODEL] });
  });
  afterAll(async () => {
    await api.close();
    if (api.violations.length > 0) throw new Error(`The server refused: ${api.violations.join("; ")}`);
  });

  const provider = (apiKey: string | null = api.apiKey, baseUrl = api.url) =>
    createOpenAiCompatibleProvider({
      apiKey: apiKey === null ? null : new Secret(apiKey),
      baseUrl,
      models: [],
      silenceTimeoutMs: SILENCE_TIMEOUT_MS,
    });
  const collect = async (signal = new AbortController().signal, from = provider(), request = REQUEST) => {
    const events: ModelStreamEvent[] = [];
    for await (const event of from.stream(request, signal)) events.push(event);
    return events;
  };
  const failure = async (from = provider(), request = REQUEST) => {
    const error: unknown = await collect(undefined, from, request).catch((thrown: unknown) => thrown);
    if (!(error instanceof ModelError)) throw new Error(`not a ModelError: ${String(error)}`);
    return error;
  };
  const frames = (...data: unknown[]) => data.map((part) => `data: ${JSON.stringify(part)}\n\n`).join("");

  it("streams text and ends with the response", async () => {
    api.queue(says("Hel", "lo"));
    expect(await collect()).toMatchObject([
      { type: "text", text: "Hel" },
      { type: "text", text: "lo" },
      { type: "response", response: { content: [{ type: "text", text: "Hello" }], stopReason: "end_turn" } },
    ]);
  });

  it("sends no key to a server that asks for none, and takes an address with a slash at its end", async () => {
    const open = await startChatApi({ apiKey: null });
    open.queue(says("free"));
    expect((await collect(undefined, provider(null, `${open.url}/`))).at(-1)).toMatchObject({
      response: { content: [{ text: "free" }] },
    });
    await open.close();
  });

  it("reads frames with other line ends, comments, several lines of data, and no [DONE]", async () => {
    api.queue({
      body: [
        ": hello\r\n\r\nevent: message\r\nid: 7\r\n",
        'data:{"choices":[{"delta":\r\ndata: {"content":"é€"}}]}\r\n\r\n',
        'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
      ].join(""),
    });
    expect((await collect()).at(-1)).toMatchObject({ response: { content: [{ text: "é€" }] } });
  });

  it.each([
    [400, "model_request_failed_error", false],
    [401, "model_request_failed_error", false],
    [402, "billing_error", false],
    [403, "model_request_failed_error", false],
    [404, "model_request_failed_error", false],
    [413, "model_request_failed_error", false],
    [422, "model_request_failed_error", false],
    [429, "model_rate_limited_error", true],
    [500, "model_request_failed_error", true],
    [502, "model_request_failed_error", true],
    [503, "model_overloaded_error", true],
    [529, "model_overloaded_error", true],
  ])("sorts %i into %s, retryable: %s, and makes one request only", async (status, type, retryable) => {
    const before = api.requests.length;
    api.queue(refuses(status, { message: "the server's own words" }));
    const error = await failure();
    expect([error.type, error.retryable]).toEqual([type, retryable]);
    expect(error.message).toContain("the server's own words");
    expect(api.requests.length).toBe(before + 1);
  });

  it("passes on how long the server asks to wait", async () => {
    api.queue(refuses(429, { headers: { "retry-after": "17" } }), refuses(429, { headers: { "retry-after": "soon" } }));
    api.queue(refuses(429));
    expect((await failure()).retryAfterMs).toBe(17_000);
    expect((await failure()).retryAfterMs).toBeNull();
    expect((await failure()).retryAfterMs).toBeNull();
  });

  it.each([
    ["vLLM", { object: "error", message: "maximum context length is 4096 tokens", type: "BadRequestError", code: 400 }],
    ["OpenAI", { error: { message: "too long", type: "invalid_request_error", code: "context_length_exceeded" } }],
    ["llama.cpp", { error: { code: 400, message: "exceeds the available context size", type: "exceed_context_size" } }],
  ])("says what to set when the context is full, in the words of %s", async (_server, body) => {
    api.queue({ status: 400, contentType: "application/json", body: JSON.stringify(body) });
    const error = await failure();
    expect([error.type, error.retryable]).toEqual(["model_request_failed_error", false]);
    expect(error.message).toContain("OPENAI_MODELS");
  });

  it("takes a quota that is used up for a bill, not for a rate", async () => {
    const body = JSON.stringify({ error: { message: "You exceeded your quota", code: "insufficient_quota" } });
    api.queue({ status: 429, contentType: "application/json", body });
    const error = await failure();
    expect([error.type, error.retryable]).toEqual(["billing_error", false]);
  });

  it("names a model that the server does not have, and where to look", async () => {
    const error = await failure(provider(), { ...REQUEST, model: "gone" });
    expect(error.retryable).toBe(false);
    expect(error.message).toContain("OPENAI_BASE_URL serves gone");
  });

  it("takes a refusal that says nothing, or more than anyone reads", async () => {
    api.queue({ status: 502, contentType: "text/html", body: `<html>${"x".repeat(200_000)}</html>` });
    api.queue({ status: 400, contentType: "application/json", body: JSON.stringify({ error: "no".repeat(20_000) }) });
    expect((await failure()).message).toBe("The model API refused the request: 502, without a reason");
    expect((await failure()).message.length).toBeLessThan(1_000);
    api.queue({ status: 400, contentType: "application/json", body: JSON.stringify({ error: "no".repeat(100_000) }) });
    expect((await failure()).message).toBe("The model API refused the request: 400, without a reason");
  });

  it.each(["cut", "error_frame", "broken_json", "silence"] as const)(
    "takes a stream that ends with %s for a failure to be retried",
    async (ending) => {
      api.queue({ ...says("a", "b", "c"), ending });
      const error = await failure();
      expect(error.retryable).toBe(true);
      expect(error.type).toBe(ending === "error_frame" ? "model_overloaded_error" : "model_request_failed_error");
    },
  );

  it.each([
    ["ends before the model does", "broke off", { body: frames({ choices: [{ delta: { content: "half" } }] }) }],
    ["has frames of another shape", "a wrong choices", { body: frames({ choices: "many" }) }],
    ["is a web page", "text/html", { body: "<html>Sign in</html>", contentType: "text/html" }],
    ["is one JSON answer", "application/json", { body: '{"choices":[]}', contentType: "application/json" }],
    ["has a frame without end", "does not end", { body: `data: ${"x".repeat(1_500_000)}` }],
  ])("takes an answer for a failure to be retried that %s", async (_name, said, answer) => {
    api.queue(answer);
    const error = await failure();
    expect([error.type, error.retryable]).toEqual(["model_request_failed_error", true]);
    expect(error.message).toContain(said);
  });

  it("gives up at once on a request that a frame in mid-stream refuses", async () => {
    api.queue({ body: frames({ error: { message: "no such image", type: "BadRequestError", code: 400 } }) });
    expect(await failure()).toMatchObject({ retryable: false, message: expect.stringContaining("no such image") });
  });

  it("keeps what the model said and the key out of errors", async () => {
    api.queue({ body: 'data: {"choices":[{"delta":{"content":"Mrs Smith has\n\n' });
    expect((await failure()).message).not.toContain("Smith");
    const wrong = await failure(provider("sk-wrong-key"));
    expect([wrong.retryable, wrong.message]).toEqual([false, expect.stringContaining("OPENAI_API_KEY")]);
    expect(wrong.message).not.toContain("sk-wrong-key");
  });

  it("sends nothing to where a redirect points", async () => {
    const elsewhere = await startChatApi({ apiKey: null });
    const location = `${elsewhere.url}/chat/completions`;
    api.queue({ status: 307, location, body: "" });
    expect((await failure()).message).toContain("can't be reached");
    expect([elsewhere.requests, elsewhere.violations]).toEqual([[], []]);
    await elsewhere.close();
  });

  it("says so where nobody listens", async () => {
    const gone = await failure(provider(null, "http://127.0.0.1:9/v1"));
    expect([gone.retryable, gone.message]).toEqual([true, expect.stringContaining("can't be reached")]);
  });

  it("waits for a server that only sends comments", async () => {
    const middle = gate();
    api.queue({ ...says("worth ", "it"), middle, pingEveryMs: SILENCE_TIMEOUT_MS / 5 });
    const collecting = collect();
    await middle.reached;
    setTimeout(middle.open, SILENCE_TIMEOUT_MS * 3);
    expect((await collecting).at(-1)).toMatchObject({ response: { content: [{ text: "worth it" }] } });
  });

  it("gives up on a model that never begins", async () => {
    api.queue({ ...says("never"), before: gate() });
    const error = await failure();
    expect([error.retryable, error.message]).toEqual([true, expect.stringContaining("said nothing")]);
  });

  it.each(["before", "middle"] as const)(
    "stops at once and throws the signal's reason when aborted %s",
    async (where) => {
      const held = gate();
      api.queue({ ...says("a", "b"), [where]: held });
      const stop = new AbortController();
      const collecting = collect(stop.signal);
      await held.reached;
      const reason = new Error("interrupt");
      stop.abort(reason);
      await expect(collecting).rejects.toBe(reason);
      held.open();
    },
  );

  it("closes the connection when its reader stops reading", async () => {
    const held = gate();
    api.queue({ ...says("a", "b", "c", "d"), middle: held });
    const before = api.abandoned;
    for await (const event of provider().stream(REQUEST, new AbortController().signal)) {
      if (event.type === "text") break;
    }
    await expect.poll(() => api.abandoned).toBe(before + 1);
    held.open();
  });
});
