import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAnthropicProvider } from "../../src/models/anthropic.ts";
import { ModelError, type ModelRequest, type ModelStreamEvent } from "../../src/models/model-provider.ts";
import { createModelRegistry } from "../../src/models/registry.ts";
import { type MessagesApi, startMessagesApi } from "../fakes/anthropic-messages.ts";
import { gate, refuses, says } from "../fakes/messages-answer.ts";

const SILENCE_TIMEOUT_MS = 250;
const REQUEST: ModelRequest = {
  model: "claude-sonnet-5",
  effort: "low",
  system: null,
  messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
  tools: [],
  maxTokens: 100,
};

describe("the Anthropic provider", () => {
  let api: MessagesApi;
  beforeAll(async () => {
    api = await startMessagesApi();
  });
  afterAll(() => api.close());

  const provider = (apiKey = api.apiKey, baseUrl = api.url) =>
    createAnthropicProvider({ apiKey, baseUrl, silenceTimeoutMs: SILENCE_TIMEOUT_MS });
  const collect = async (signal = new AbortController().signal, from = provider()) => {
    const events: ModelStreamEvent[] = [];
    for await (const event of from.stream(REQUEST, signal)) events.push(event);
    return events;
  };
  const failure = async (from = provider()) => {
    const error: unknown = await collect(undefined, from).catch((thrown: unknown) => thrown);
    if (!(error instanceof ModelError)) throw new Error(`not a ModelError: ${String(error)}`);
    return error;
  };

  it("streams text and ends with the response", async () => {
    api.queue(says("Hel", "lo"));
    expect(await collect()).toMatchObject([
      { type: "text", text: "Hel" },
      { type: "text", text: "lo" },
      { type: "response", response: { content: [{ type: "text", text: "Hello" }], stopReason: "end_turn" } },
    ]);
  });

  it.each([
    [400, "model_request_failed_error", false],
    [401, "model_request_failed_error", false],
    [402, "billing_error", false],
    [403, "model_request_failed_error", false],
    [404, "model_request_failed_error", false],
    [413, "model_request_failed_error", false],
    [429, "model_rate_limited_error", true],
    [500, "model_request_failed_error", true],
    [529, "model_overloaded_error", true],
  ])("sorts %i into %s, retryable: %s, and makes one request only", async (status, type, retryable) => {
    const before = api.requests.length;
    api.queue(refuses(status, { message: "the API's own words" }));
    const error = await failure();
    expect([error.type, error.retryable]).toEqual([type, retryable]);
    expect(error.message).toContain("the API's own words");
    expect(api.requests.length).toBe(before + 1);
  });

  it("passes on how long the API asks to wait", async () => {
    api.queue(refuses(429, { headers: { "retry-after": "17" } }), refuses(429, { headers: { "retry-after": "soon" } }));
    expect((await failure()).retryAfterMs).toBe(17_000);
    expect((await failure()).retryAfterMs).toBeNull();
  });

  it.each(["cut", "error_frame", "broken_json", "silence"] as const)(
    "takes a stream that ends with %s for a failure to be retried",
    async (ending) => {
      api.queue({ ...says("a", "b", "c"), ending });
      expect((await failure()).retryable).toBe(true);
    },
  );

  it("takes a wrong key and an address where nobody listens for what they are", async () => {
    expect((await failure(provider("sk-wrong-key"))).retryable).toBe(false);
    const gone = await failure(provider("sk-any-key-will-do", "http://127.0.0.1:9"));
    expect(gone.retryable).toBe(true);
    expect(gone.message).toContain("can't be reached");
  });

  it("waits for a model that thinks for long and only pings", async () => {
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

describe("the registry", () => {
  it("lets the first provider that knows a model serve it", () => {
    const anthropic = createAnthropicProvider({ apiKey: "sk-key", baseUrl: null });
    const [info] = anthropic.models();
    if (!info) throw new Error("no models");
    const other = { ...anthropic, name: "other", models: () => [info, { ...info, id: "only-here" }] };
    const registry = createModelRegistry([anthropic, other]);
    expect(registry.find(info.id)?.provider.name).toBe("anthropic");
    expect(registry.find("only-here")?.provider.name).toBe("other");
    expect(registry.find("nobody's")).toBeNull();
    expect(registry.list().filter(({ id }) => id === info.id)).toHaveLength(1);
  });
});
