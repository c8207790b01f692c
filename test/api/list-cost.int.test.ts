import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { INITIAL_STATE } from "../../src/sessions/transition.ts";
import { createSession, RUNTIME_USD_PER_HOUR, startApi, type TestApi } from "../support/api.ts";

const CENT = 1e9;
const HOUR_MS = 3_600_000;

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const costOf = async (id: string) => (await api.client.beta.sessions.retrieve(id)).usage.list_cost;
const { token_nanocents: _, runtime_nanocents_per_hour: __, ...OLD_USAGE } = INITIAL_STATE.usage;

describe("what a session cost", () => {
  it("is nothing at first, and in cents", async () => {
    const { usage } = await createSession(api.client);
    expect(usage.list_cost).toEqual({ amount: "0", currency: "USD" });
  });

  it("is its requests and the time that it ran, at the price of the day it was made", async () => {
    const { id } = await createSession(api.client);
    const { usage } = await api.prisma.session.findUniqueOrThrow({ where: { id } });
    expect(usage).toMatchObject({ runtime_nanocents_per_hour: RUNTIME_USD_PER_HOUR * 100 * CENT });
    await api.prisma.session.update({
      where: { id },
      data: { activeMs: 2 * HOUR_MS, usage: { ...Object(usage), token_nanocents: 234.6 * CENT } },
    });
    expect(await costOf(id)).toEqual({ amount: "335", currency: "USD" });
    const [listed] = (await api.client.beta.sessions.list({ limit: 1 })).data;
    expect(listed?.usage.list_cost).toEqual({ amount: "335", currency: "USD" });
  });

  it("grows while it runs", async () => {
    const { id } = await createSession(api.client);
    const runningSince = new Date(Date.now() - HOUR_MS);
    await api.prisma.session.update({ where: { id }, data: { status: "running", runningSince } });
    expect(Number((await costOf(id))?.amount)).toBeGreaterThanOrEqual(50);
  });

  it("is known of sessions and events from before it was counted", async () => {
    const { id } = await createSession(api.client);
    await api.prisma.session.update({ where: { id }, data: { usage: OLD_USAGE, activeMs: HOUR_MS } });
    expect(await costOf(id)).toEqual({ amount: "8", currency: "USD" });
    const payload = {
      id: "sevt_old",
      type: "session.usage",
      processed_at: "2026-11-01T00:00:00.000Z",
      usage: { ...OLD_USAGE, active_seconds: 3 },
      budget: null,
    };
    const { threadId } = await api.prisma.session.findUniqueOrThrow({ where: { id } });
    await api.prisma.event.create({
      data: {
        sessionId: id,
        seq: 1,
        id: payload.id,
        threadId,
        type: payload.type,
        payload,
        processedAt: payload.processed_at,
      },
    });
    const events = await api.client.beta.sessions.events.list(id);
    expect(events.data).toEqual([payload]);
  });
});
