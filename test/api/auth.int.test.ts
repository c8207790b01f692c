import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, rawHeaders, startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const get = (path: string, headers: Record<string, string>) => fetch(api.baseURL + path, { headers });
const ROUTES = [
  ["POST", "/v1/agents"],
  ["GET", "/v1/agents"],
  ["GET", "/v1/agents/x"],
  ["POST", "/v1/environments"],
  ["GET", "/v1/environments"],
  ["GET", "/v1/environments/x"],
  ["POST", "/v1/sessions"],
  ["GET", "/v1/sessions"],
  ["GET", "/v1/sessions/x"],
  ["DELETE", "/v1/sessions/x"],
  ["POST", "/v1/sessions/x/archive"],
  ["POST", "/v1/sessions/x/events"],
  ["GET", "/v1/sessions/x/events"],
  ["GET", "/v1/sessions/x/events/stream"],
  ["POST", "/v1/sessions/x/resources"],
  ["GET", "/v1/sessions/x/resources"],
  ["GET", "/v1/sessions/x/resources/y"],
  ["POST", "/v1/files"],
  ["GET", "/v1/files"],
  ["GET", "/v1/files/x"],
  ["GET", "/v1/files/x/content"],
  ["GET", "/v1/files/x/preview"],
  ["DELETE", "/v1/files/x"],
  ["GET", "/v1/models"],
  ["GET", "/v1/models/x"],
] as const;

describe("authentication", () => {
  it.each(ROUTES)("%s %s answers 401 without a key", async (method, path) => {
    const response = await fetch(api.baseURL + path, { method, headers: { "anthropic-version": "2026-10-21" } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "authentication_error" } });
  });

  it("takes the key as a bearer token and as x-api-key", async () => {
    const { "x-api-key": key, ...rest } = rawHeaders(api);
    expect((await get("/v1/agents", rawHeaders(api))).status).toBe(200);
    expect((await get("/v1/agents", { ...rest, authorization: `Bearer ${key}` })).status).toBe(200);
    expect((await get("/v1/agents", { ...rest, authorization: `bearer ${key}` })).status).toBe(200);
  });

  it("refuses an unknown key", async () => {
    const client = new Anthropic({ baseURL: api.baseURL, apiKey: "dk_unknown", maxRetries: 0 });
    await expect(client.beta.agents.list()).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  it("refuses a key that was revoked", async () => {
    const { id, key } = await api.workspaces.createApiKey(api.workspaceId, "short-lived");
    await api.prisma.apiKey.update({ where: { id }, data: { revokedAt: new Date() } });
    expect((await get("/v1/agents", { ...rawHeaders(api), "x-api-key": key })).status).toBe(401);
  });

  it("refuses two credentials at once, on the event stream and elsewhere", async () => {
    const { id } = await createSession(api.client);
    const headers = { ...rawHeaders(api), authorization: `Bearer ${api.key}` };
    expect((await get(`/v1/sessions/${id}/events/stream`, headers)).status).toBe(401);
    expect((await get("/v1/agents", headers)).status).toBe(401);
  });

  it("needs a known anthropic-version", async () => {
    const { "anthropic-version": _, ...rest } = rawHeaders(api);
    for (const version of ["2026-10-21", "2023-06-01"]) {
      expect((await get("/v1/models", { ...rest, "anthropic-version": version })).status).toBe(200);
    }
    const missing = await get("/v1/models", rest);
    expect(missing.status).toBe(400);
    expect(await missing.json()).toMatchObject({ error: { message: expect.stringContaining("anthropic-version") } });
    expect((await get("/v1/models", { ...rest, "anthropic-version": "2020-01-01" })).status).toBe(400);
  });

  it("has agents, environments and sessions only with the beta, and files and models without", async () => {
    const { "anthropic-beta": beta, ...rest } = rawHeaders(api);
    for (const path of ["/v1/agents", "/v1/environments", "/v1/sessions"]) {
      expect((await get(path, rest)).status).toBe(404);
      expect((await get(`${path}?beta=true`, { ...rest, "anthropic-beta": `other-2026-01-01,${beta}` })).status).toBe(
        200,
      );
    }
    expect((await get("/v1/files", rest)).status).toBe(200);
    expect((await get("/v1/models", rest)).status).toBe(200);
  });

  it("refuses another workspace than the key's", async () => {
    const own = await get("/v1/models", { ...rawHeaders(api), "anthropic-workspace-id": api.workspaceId });
    expect(own.headers.get("anthropic-workspace-id")).toBe(api.workspaceId);
    const other = await get("/v1/models", { ...rawHeaders(api), "anthropic-workspace-id": "wrkspc_other" });
    expect(other.status).toBe(403);
    expect(await other.json()).toMatchObject({ error: { type: "permission_error" } });
  });
});
