import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.ts";
import { createSession, errorOf, rawHeaders, startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
let failure: Error;
beforeAll(async () => {
  api = await startApi({
    readEventPage: async () => {
      throw failure;
    },
  });
});
afterAll(() => api.stop());

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(api.baseURL + path, {
    method: "POST",
    headers: { ...rawHeaders(api), "content-type": "application/json", ...headers },
    body,
  });

async function failWith(error: Error) {
  failure = error;
  return fetch(`${api.baseURL}/v1/sessions/x/events`, { headers: rawHeaders(api) });
}

describe("errors", () => {
  it("come in the envelope, with the request id in header and body", async () => {
    const response = await fetch(`${api.baseURL}/v1/agents/agent_nope`, { headers: rawHeaders(api) });
    const body = await response.json();
    expect(response.status).toBe(404);
    expect(response.headers.get("request-id")).toMatch(/^req_01/);
    expect(body).toEqual({
      type: "error",
      error: { type: "not_found_error", message: "Agent `agent_nope` was not found." },
      request_id: response.headers.get("request-id"),
    });
  });

  it("answer an unknown route with 404, a wrong method too, with or without a key", async () => {
    for (const [method, path] of [
      ["GET", "/v1/nothing"],
      ["PUT", "/v1/agents"],
      ["GET", "/"],
    ] as const) {
      const response = await fetch(api.baseURL + path, { method });
      expect(response.status).toBe(404);
      expect(response.headers.get("request-id")).toMatch(/^req_/);
      expect(await response.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    }
  });

  it("say that JSON is malformed", async () => {
    const response = await post("/v1/agents", '{"name":');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { type: "invalid_request_error", message: "The request body is not valid JSON." },
    });
  });

  it("refuse a poisoned prototype", async () => {
    expect((await post("/v1/agents", '{"__proto__":{"admin":true},"name":"a","model":"model-a"}')).status).toBe(400);
  });

  it("name every field that is wrong, and unknown ones", async () => {
    const response = await post(
      "/v1/agents",
      JSON.stringify({ name: "", model: 3, tools: [{ type: "x" }], colour: 1 }),
    );
    const { status, message } = await errorOf(response);
    expect(status).toBe(400);
    for (const field of ["name: ", "model: ", "tools.0.type: ", "colour: Extra inputs are not permitted"]) {
      expect(message).toContain(field);
    }
  });

  it("name a field deep inside a list", async () => {
    const { id } = await createSession(api.client);
    const response = await post(`/v1/sessions/${id}/events`, JSON.stringify({ events: [{ type: "user.message" }] }));
    expect(await response.json()).toMatchObject({ error: { message: "events.0.content: Field required" } });
  });

  it("say what is missing when there is no body", async () => {
    const response = await fetch(`${api.baseURL}/v1/agents`, { method: "POST", headers: rawHeaders(api) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { message: "body: Field required" } });
  });

  it("refuse text that can't be stored, by the name of its field", async () => {
    for (const [text, ok] of [
      ["\\u0000", false],
      ["\\ud800", false],
      ["\\uDC00x", false],
      ["\\\\u0000", true],
      ["\\ud83d\\ude00", true],
    ] as const) {
      const response = await post("/v1/agents", `{"name":"a","model":"model-a","system":"x${text}"}`);
      expect(response.status).toBe(ok ? 200 : 400);
      if (!ok) expect((await errorOf(response)).message).toMatch(/^system: /);
    }
    const response = await fetch(`${api.baseURL}/v1/agents/agent_%00`, { headers: rawHeaders(api) });
    expect(response.status).toBe(400);
  });

  it("refuse numbers that are out of range", async () => {
    const { agent, environment_id } = await createSession(api.client);
    const url = `${api.baseURL}/v1/agents/${agent.id}?version=99999999999`;
    expect((await errorOf(await fetch(url, { headers: rawHeaders(api) }))).message).toMatch(/^version: /);
    const body = { agent: { type: "agent", id: agent.id, version: 99999999999 }, environment_id };
    expect((await errorOf(await post("/v1/sessions", JSON.stringify(body)))).message).toMatch(/^agent\.version: /);
  });

  it("refuse another content type", async () => {
    const response = await post("/v1/agents", "<agent/>", { "content-type": "application/xml" });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  it("refuse a body over 32 MB", async () => {
    const response = await post("/v1/agents", JSON.stringify({ name: "x".repeat(33 * 1024 * 1024), model: "model-a" }));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { type: "request_too_large" } });
  });

  it("refuse a path that can't be decoded", async () => {
    const response = await fetch(`${api.baseURL}/v1/agents/%E0%A4%A`, { headers: rawHeaders(api) });
    expect(response.status).toBe(400);
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  it("tell the client not to repeat a conflict", async () => {
    const response = await failWith(new AppError("conflict", "Taken.", { details: { error_code: "taken" } }));
    expect(response.status).toBe(409);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toMatchObject({
      error: { type: "conflict_error", message: "Taken.", details: { error_code: "taken" } },
    });
  });

  it.each([
    ["rate_limit", 429, "rate_limit_error"],
    ["overloaded", 529, "overloaded_error"],
    ["unavailable", 503, "api_error"],
  ] as const)("map %s to %i", async (code, status, type) => {
    const response = await failWith(new AppError(code, "Wait."));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type, message: "Wait." } });
  });

  it("hide what went wrong inside", async () => {
    const response = await failWith(new Error("connect to secret-host:5432 failed"));
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain("secret-host");
    expect(JSON.parse(text)).toMatchObject({
      error: { type: "api_error" },
      request_id: expect.stringMatching(/^req_/),
    });
  });
});
