import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, startApi, type TestApi, userMessage } from "../support/api.ts";
import { append } from "../support/session-log.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const events = () => api.client.beta.sessions.events;

describe("sending events", () => {
  it("echoes them in order with ids, unprocessed, and tells the workers", async () => {
    const { id } = await createSession(api.client);
    const sent = await events().send(id, { events: [userMessage("one"), { type: "user.interrupt" }] });
    expect(sent.data).toEqual([
      { id: expect.stringMatching(/^sevt_01/), processed_at: null, ...userMessage("one") },
      { id: expect.stringMatching(/^sevt_01/), processed_at: null, type: "user.interrupt" },
    ]);
    expect(api.hinted).toContain(id);
    expect((await events().list(id)).data).toEqual(sent.data);
  });

  it("takes all of them or none", async () => {
    const { id } = await createSession(api.client);
    for (const bad of [
      { type: "user.shout" },
      { ...userMessage("x"), colour: 1 },
      { type: "user.message", content: [] },
    ]) {
      // @ts-expect-error on purpose
      await expect(events().send(id, { events: [userMessage("one"), bad] })).rejects.toThrow(/events\.1/);
    }
    await expect(events().send(id, { events: [] })).rejects.toThrow(/events: /);
    expect((await events().list(id)).data).toEqual([]);
  });

  it("is not there for an unknown session", async () => {
    await expect(events().send("sesn_nope", { events: [userMessage("x")] })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
    await expect(events().list("sesn_nope")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });
});

describe("listing events", () => {
  it("pages through the log and then what is queued, both ways", async () => {
    const { id } = await createSession(api.client);
    const logged = await append(api, id, ["session.status_running", "agent.thinking", "session.status_idle"]);
    const { data: queued = [] } = await events().send(id, { events: [userMessage("a"), userMessage("b")] });
    const expected = [...logged, ...queued].map((event) => event.id);

    for (const order of ["asc", "desc"] as const) {
      const seen = [];
      for await (const event of events().list(id, { limit: 2, order })) seen.push(event.id);
      expect(seen).toEqual(order === "asc" ? expected : expected.toReversed());
    }
  });

  it("filters by type and time", async () => {
    const { id } = await createSession(api.client);
    const [, thinking] = await append(api, id, ["session.status_running", "agent.thinking"]);
    expect((await events().list(id, { types: ["agent.thinking"] })).data).toEqual([thinking]);
    expect((await events().list(id, { "created_at[gt]": new Date(Date.now() + 60_000).toISOString() })).data).toEqual(
      [],
    );
    expect((await events().list(id, { "created_at[lte]": new Date().toISOString() })).data).toHaveLength(2);
  });

  it("refuses a cursor that is none, or of another order", async () => {
    const { id } = await createSession(api.client);
    await append(api, id, ["session.status_running", "agent.thinking"]);
    const { next_page } = await events().list(id, { limit: 1 });
    expect(next_page).not.toBeNull();
    await expect(events().list(id, { page: next_page, order: "desc" })).rejects.toThrow(/400.*page: /);
    for (const position of ["1; DROP TABLE events", "9999999999999999999", "-1", ""]) {
      const forged = Buffer.from(JSON.stringify(["asc", position])).toString("base64url");
      await expect(events().list(id, { page: forged })).rejects.toThrow(/400.*page: /);
    }
  });
});
