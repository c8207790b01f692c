import { once } from "node:events";
import http from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, errorOf, rawHeaders, startApi, type TestApi } from "../support/api.ts";
import { agentMessage, append, plainEvent } from "../support/session-log.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const url = (id: string, query = "", base = api.baseURL) => `${base}/v1/sessions/${id}/events/stream${query}`;

describe("the event stream", () => {
  it("shows what is committed after its headers, in order, once, and nothing from before", async () => {
    const { id } = await createSession(api.client);
    await append(api, id, ["session.status_running"]);
    const stream = await api.client.beta.sessions.events.stream(id);
    const written = await append(api, id, [
      "agent.thinking",
      agentMessage("line one\nline two"),
      "session.status_idle",
    ]);
    written.push(...(await append(api, id, ["session.status_running"])));
    const seen = [];
    for await (const event of stream) {
      seen.push(event);
      if (seen.length === written.length) break;
    }
    expect(seen).toEqual(written);
  });

  it("frames each event with its type and one line of data, and has the headers that proxies need", async () => {
    const { id } = await createSession(api.client);
    const response = await fetch(url(id), { headers: { ...rawHeaders(api), accept: "application/json" } });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toContain("no-cache");
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    const event = agentMessage("a\nb");
    await append(api, id, [event]);
    expect(await firstChunk(response)).toBe(`event: agent.message\ndata: ${JSON.stringify(event)}\n\n`);
  });

  it("ends with session.deleted when the session is deleted", async () => {
    const { id } = await createSession(api.client);
    const stream = await api.client.beta.sessions.events.stream(id);
    await api.client.beta.sessions.delete(id);
    const seen = [];
    for await (const event of stream) seen.push(event.type);
    expect(seen).toEqual(["session.deleted"]);
  });

  it("stays open when the session goes idle", async () => {
    const { id } = await createSession(api.client);
    const stream = await api.client.beta.sessions.events.stream(id);
    const events = stream[Symbol.asyncIterator]();
    await append(api, id, ["session.status_idle"]);
    expect((await events.next()).value?.type).toBe("session.status_idle");
    await append(api, id, ["session.status_running"]);
    expect((await events.next()).value?.type).toBe("session.status_running");
    await events.return?.();
  });

  it("shows previews only to those who ask", async () => {
    const { id } = await createSession(api.client);
    const asked = await api.client.beta.sessions.events.stream(id, { event_deltas: ["agent.message"] });
    const plain = await api.client.beta.sessions.events.stream(id);
    const message = agentMessage("Hello");
    const delta = { type: "content_delta" as const, index: 0, content: { type: "text" as const, text: "Hel" } };
    const frames = [
      { type: "event_start" as const, event: { type: "agent.message" as const, id: message.id } },
      { type: "event_delta" as const, event_id: message.id, delta },
    ];
    for (const [number, frame] of frames.entries()) api.eventLog.preview(id, frame, number);
    const shown = asked[Symbol.asyncIterator]();
    expect([(await shown.next()).value, (await shown.next()).value]).toEqual(frames);
    await append(api, id, [message]);
    expect((await shown.next()).value).toEqual(message);
    await shown.return?.();
    expect(await typesUntil(plain, "agent.message")).toEqual(["agent.message"]);
  });

  it("refuses previews of anything else, by the name of the parameter", async () => {
    const { id } = await createSession(api.client);
    const response = await fetch(url(id, "?event_deltas[]=agent.tool_use"), { headers: rawHeaders(api) });
    expect(await errorOf(response)).toMatchObject({
      status: 400,
      message: expect.stringContaining("event_deltas.0: "),
    });
  });

  it("answers an unknown session with an ordinary 404", async () => {
    await expect(api.client.beta.sessions.events.stream("sesn_nope")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it("stops following as soon as the client is gone", async () => {
    const followed = followable();
    const own = await startApi({ live: followed.live });
    const { id } = await createSession(own.client);
    const client = new AbortController();
    await fetch(url(id, "", own.baseURL), { headers: rawHeaders(own), signal: client.signal });
    client.abort();
    await expect(followed.ended).resolves.toBeUndefined();
    await own.stop();
  });

  it("ends when the server closes, without waiting for the client", async () => {
    const own = await startApi();
    const { id } = await createSession(own.client);
    const response = await fetch(url(id, "", own.baseURL), { headers: rawHeaders(own) });
    await own.stop();
    expect(await response.text()).toBe("");
  });

  it("pings while nothing happens", async () => {
    const own = await startApi({ streamTimes: { pingIntervalMs: 20 } });
    const { id } = await createSession(own.client);
    const response = await fetch(url(id, "", own.baseURL), { headers: rawHeaders(own) });
    expect(await firstChunk(response)).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    await own.stop();
  });

  it("tells of a failure inside the stream", async () => {
    const followed = followable(async function* () {
      yield agentMessage("before");
      throw new Error("secret");
    });
    const own = await startApi({ live: followed.live });
    const { id } = await createSession(own.client);
    const stream = await own.client.beta.sessions.events.stream(id);
    const read = async () => typesUntil(stream, "session.deleted");
    await expect(read()).rejects.toSatisfy(
      (error) =>
        error instanceof Anthropic.APIError && error.message.includes("api_error") && !error.message.includes("secret"),
    );
    await own.stop();
  });

  it("asks for no more than a slow client takes, and cuts it off in the end", async () => {
    let made = 0;
    const followed = followable(async function* () {
      for (;;) {
        made += 1;
        yield agentMessage("x".repeat(64 * 1024));
      }
    });
    const own = await startApi({ live: followed.live, streamTimes: { stallTimeoutMs: 200 } });
    const { id } = await createSession(own.client);
    const request = http.get(url(id, "", own.baseURL), { headers: rawHeaders(own) });
    const [response] = await once(request, "response");
    response.pause();
    await followed.ended;
    // What the sockets of both sides hold, which is some MB at most; without a bound it would have gone on for ever.
    expect(made * 64 * 1024).toBeLessThan(64 * 1024 * 1024);
    response.destroy();
    await own.stop();
  });
});

async function firstChunk(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  await reader?.cancel();
  return new TextDecoder().decode(value);
}

async function typesUntil(stream: AsyncIterable<{ type: string }>, last: string): Promise<string[]> {
  const types = [];
  for await (const { type } of stream) {
    types.push(type);
    if (type === last) break;
  }
  return types;
}

/** A live tail of the test's own making, and the moment at which nobody follows it any more. */
function followable(source?: () => AsyncGenerator<ReturnType<typeof agentMessage>>) {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  async function* follow(signal: AbortSignal) {
    try {
      if (source) yield* source();
      else if (!signal.aborted) await once(signal, "abort");
      if (!signal.aborted) yield plainEvent("agent.thinking");
    } finally {
      resolve();
    }
  }
  return { ended, live: { follow: async (_id: string, _options: unknown, signal: AbortSignal) => follow(signal) } };
}
