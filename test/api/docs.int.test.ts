import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

describe("the API's documents", () => {
  it("openapi.json in the repository is current (renew it with `vitest run test/api/docs --update`)", async () => {
    const response = await fetch(`${api.baseURL}/openapi.json`);
    const document = await response.json();
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot("../../openapi.json");
  });

  it("refer to nothing that is not there", () => {
    const text = JSON.stringify(api.app.swagger());
    const names = new Set(Array.from(text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g), ([, name]) => name));
    expect(names.size).toBeGreaterThan(5);
    for (const name of names) expect(text).toContain(`"${name}":{`);
  });

  it("has a page to read at /docs", async () => {
    const response = await fetch(`${api.baseURL}/docs`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("Deckhand API");
  });
});

describe("/healthz", () => {
  it("says whether every role is ready, and what is missing, without a key", async () => {
    expect((await fetch(`${api.baseURL}/healthz`)).status).toBe(200);
    const own = await startApi({ health: () => ({ ready: false, reason: "worker: building the sandbox image" }) });
    const response = await fetch(`${own.baseURL}/healthz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "starting", reason: "worker: building the sandbox image" });
    await own.stop();
  });
});
