import { afterEach, describe, expect, it } from "vitest";
import { Secret } from "../../src/secrets/secret.ts";
import { probeMcpServer } from "../../src/vaults/mcp-probe.ts";
import { json } from "../fakes/loopback-http.ts";
import { type FakeMcp, type FakeMcpOptions, startFakeMcp } from "../fakes/mcp-server.ts";
import { loopbackFetch } from "../support/mcp-credentials.ts";

const TOKEN = "canary-token/with+signs";
const EVENTS = { "content-type": "text/event-stream" };

let server: FakeMcp | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

async function start(options: Partial<FakeMcpOptions> = {}): Promise<FakeMcp> {
  server = await startFakeMcp({ accepts: (token) => token === TOKEN, ...options });
  return server;
}
const probe = ({ url }: { url: string }, token = TOKEN) => probeMcpServer(loopbackFetch, url, new Secret(token));

describe("a token is tried at an MCP server", () => {
  it.each(["json", "sse"] as const)("by a whole session, which it ends, where answers come as %s", async (answers) => {
    const mcp = await start({ answers });
    expect(await probe(mcp)).toEqual({ type: "accepted" });
    expect(mcp.calls).toEqual(["initialize", "notifications/initialized", "tools/list", "DELETE"]);
    expect(mcp.sessions.size).toBe(0);
  });

  it("and is good where the server has no tools", async () => {
    expect(await probe(await start({ hasTools: false }))).toEqual({ type: "accepted" });
  });

  it("and is not where the server answers 401 at any step", async () => {
    const mcp = await start();
    const refused = {
      type: "unauthorized",
      report: { method: "initialize", http_response: { status_code: 401, content_type: "application/json" } },
    };
    expect(await probe(mcp, "another")).toMatchObject(refused);
    mcp.answer("tools/list", () => json(401, {}));
    expect(await probe(mcp)).toMatchObject({ type: "unauthorized", report: { method: "tools/list" } });
  });

  it.each<[string, string, Parameters<FakeMcp["answer"]>[1], string, number | null]>([
    ["a token that may not", "tools/list", () => json(403, {}), "forbidden", 403],
    ["another address", "initialize", () => json(404, {}), "unclear", 404],
    ["a server in trouble", "tools/list", () => json(500, {}), "unclear", 500],
    ["a redirect", "initialize", () => ({ status: 307, headers: { location: "/mcp" } }), "unclear", 307],
    ["a web page", "initialize", () => ({ status: 200, body: "<h1>Welcome</h1>" }), "unclear", 200],
    ["another protocol", "initialize", () => json(200, { jsonrpc: "2.0", id: 1, result: {} }), "unclear", 200],
    [
      "a stream that ends",
      "initialize",
      () => ({ status: 200, headers: EVENTS, body: "data: {}\n\n" }),
      "unclear",
      200,
    ],
    ["an answer without end", "initialize", () => ({ status: 200, body: "x".repeat(2_000_000) }), "unclear", null],
  ])("and %s is told from a wrong token", async (_, method, answer, type, status) => {
    const mcp = await start();
    mcp.answer(method, answer);
    const http_response = status === null ? null : expect.objectContaining({ status_code: status });
    expect(await probe(mcp)).toEqual({ type, report: { method, http_response } });
  });

  it("and a server that is not there is told from a wrong token", async () => {
    const { url, close } = await start();
    await close();
    server = null;
    const report = { method: "initialize", http_response: null };
    expect(await probe({ url })).toEqual({ type: "unclear", report });
  });

  it("and what a server repeats of it is starred out, also where the text is cut", async () => {
    const mcp = await start();
    const spellings = [TOKEN, encodeURIComponent(TOKEN), Buffer.from(`x${TOKEN}`).toString("base64")];
    const body = `${spellings.join(" ")} ${"é".repeat(1_990 - spellings.join(" ").length)}${TOKEN}`;
    mcp.answer("initialize", () => ({ status: 400, headers: { "content-type": `text/${TOKEN}` }, body }));
    const { report } = { report: null, ...(await probe(mcp)) };
    const shown = report?.http_response;
    expect(shown).toMatchObject({ body_truncated: true, content_type: `text/${"*".repeat(TOKEN.length)}` });
    expect(shown?.body.length).toBe(2_000);
    expect(shown?.body).toMatch(/é{3}\*{9}$/);
    for (const trace of ["canary", Buffer.from(`x${TOKEN}`).toString("base64").slice(4, 20)]) {
      expect(JSON.stringify(report)).not.toContain(trace);
    }
  });
});
