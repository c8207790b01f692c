import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createSession, errorOf, rawHeaders, startApi, type TestApi } from "../support/api.ts";

const COUNT = 7;

let api: TestApi;
/** Oldest first. */
let ids: string[];
beforeAll(async () => {
  api = await startApi();
  const { agent, environment_id } = await createSession(api.client);
  const sessions = [];
  for (let i = 1; i < COUNT; i++)
    sessions.push(await api.client.beta.sessions.create({ agent: agent.id, environment_id }));
  // Two sessions of the same moment are told apart by their ids.
  const createdAt = new Date("2026-01-01T00:00:00.000Z");
  const pair = sessions.slice(0, 2).map(({ id }) => id);
  await api.prisma.session.updateMany({ where: { id: { in: pair } }, data: { createdAt } });
  const rows = await api.prisma.session.findMany({ orderBy: [{ createdAt: "asc" }, { id: "asc" }] });
  ids = rows.map((row) => row.id);
});
afterAll(() => api.stop());

const request = (query: string) => fetch(`${api.baseURL}/v1/sessions?${query}`, { headers: rawHeaders(api) });
const Answer = z.object({ data: z.array(z.object({ id: z.string() })), next_page: z.string().nullable() });
const list = async (query: string) => Answer.parse(await (await request(query)).json());
const refusal = async (query: string) => errorOf(await request(query));

describe("pagination", () => {
  it("lists everything once, newest first, through the SDK", async () => {
    const seen = [];
    for await (const session of api.client.beta.sessions.list({ limit: 2 })) seen.push(session.id);
    expect(seen).toEqual(ids.toReversed());
  });

  it.each(["asc", "desc"] as const)("goes forward and all the way back in order %s", async (order) => {
    const expected = order === "asc" ? ids : ids.toReversed();
    const forward = [];
    let { data, next_page, prev_page } = await api.client.beta.sessions.list({ limit: 3, order });
    expect(prev_page).toBeNull();
    forward.push(data.map(({ id }) => id));
    while (next_page) {
      ({ data, next_page, prev_page } = await api.client.beta.sessions.list({ limit: 3, order, page: next_page }));
      forward.push(data.map(({ id }) => id));
    }
    expect(forward).toEqual([expected.slice(0, 3), expected.slice(3, 6), expected.slice(6)]);

    const backward = [];
    while (prev_page) {
      ({ data, prev_page, next_page } = await api.client.beta.sessions.list({ limit: 3, order, page: prev_page }));
      expect(next_page).not.toBeNull();
      backward.push(data.map(({ id }) => id));
    }
    expect(backward).toEqual([expected.slice(3, 6), expected.slice(0, 3)]);
  });

  it("refuses a cursor of another order, and what is no cursor", async () => {
    const { next_page } = await list("limit=2&order=asc");
    const endless = Buffer.from('["desc","next",9e15,"x"]').toString("base64url");
    for (const query of [`order=desc&page=${next_page}`, "page=nonsense", "page=W10", `page=${endless}`]) {
      expect(await refusal(query)).toMatchObject({ status: 400, message: expect.stringContaining("page: ") });
    }
  });

  it("refuses a created_at filter that shuts out the cursor", async () => {
    const { next_page } = await list("limit=2&order=asc");
    expect((await request(`order=asc&page=${next_page}&created_at[gte]=2025-01-01T00:00:00Z`)).status).toBe(200);
    expect((await request(`order=asc&page=${next_page}&created_at%5Bgte%5D=2099-01-01T00:00:00Z`)).status).toBe(400);
  });

  it("leaves prev_page out of lists that only go forward", async () => {
    const response = await fetch(`${api.baseURL}/v1/agents?limit=1`, { headers: rawHeaders(api) });
    expect(await response.json()).toEqual({ data: [expect.anything()], next_page: null });
  });

  it.each(["limit=0", "limit=101", "limit=ten"])("refuses %s", async (query) => {
    expect(await refusal(query)).toMatchObject({ status: 400, message: expect.stringContaining("limit: ") });
  });

  it("filters by creation, agent and status, whatever way a list is written", async () => {
    const at = "2026-01-01T00:00:00Z";
    const count = async (query: string) => (await list(query)).data.length;
    expect(await count(`created_at[lte]=${at}`)).toBe(2);
    expect(await count(`created_at[lt]=${at}`)).toBe(0);
    expect(await count(`created_at%5Bgt%5D=${at}`)).toBe(COUNT - 2);
    expect(await count("statuses[]=idle&statuses[]=running")).toBe(COUNT);
    expect(await count("statuses%5B%5D=running")).toBe(0);
    expect(await count("statuses=idle")).toBe(COUNT);
    expect(await count("statuses=running&statuses=rescheduling")).toBe(0);
    expect(await count("agent_id=agent_other")).toBe(0);
    expect(await count("deployment_id=depl_1")).toBe(0);
    expect((await refusal("statuses[]=asleep")).message).toContain("statuses.0: ");
    expect((await refusal("agent_version=1")).message).toContain("agent_version: ");
  });
});
