import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, startApi, type TestApi, userMessage } from "../support/api.ts";
import { askedUse, toolUse } from "../support/events.ts";
import { append } from "../support/session-log.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

type ConfirmationParams = Anthropic.Beta.Sessions.BetaManagedAgentsUserToolConfirmationEventParams;

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

describe("confirming a tool call", () => {
  const confirm = (id: string, ...confirmations: Omit<ConfirmationParams, "type">[]) =>
    events().send(id, {
      events: confirmations.map((params) => ({ type: "user.tool_confirmation" as const, ...params })),
    });

  it("is queued as it was sent, and tells the workers", async () => {
    const { id } = await createSession(api.client);
    const asked = [askedUse(), askedUse()];
    await append(api, id, asked);
    const [a = "", b = ""] = asked.map((event) => event.id);
    const { data } = await confirm(
      id,
      { tool_use_id: a, result: "allow" },
      { tool_use_id: b, result: "deny", deny_message: "Not that one." },
    );
    const echoed = { id: expect.stringMatching(/^sevt_01/), processed_at: null, type: "user.tool_confirmation" };
    expect(data).toEqual([
      { ...echoed, tool_use_id: a, result: "allow" },
      { ...echoed, tool_use_id: b, result: "deny", deny_message: "Not that one." },
    ]);
    expect(api.hinted).toContain(id);
  });

  it("says which call it can't be about, and tells what was decided before from a mistake", async () => {
    const { id } = await createSession(api.client);
    const { id: foreign } = await createSession(api.client);
    const [asked, allowed, elsewhere] = [askedUse(), toolUse(), askedUse()];
    await append(api, id, [asked, allowed]);
    await append(api, foreign, [elsewhere]);
    for (const tool_use_id of ["sevt_none", elsewhere.id, allowed.id]) {
      await expect(confirm(id, { tool_use_id, result: "allow" })).rejects.toThrow(/400.*events\.0\.tool_use_id: /);
    }
    await confirm(id, { tool_use_id: asked.id, result: "allow" });
    const again = await confirm(id, { tool_use_id: asked.id, result: "deny" }).catch((error: unknown) => error);
    expect(again).toBeInstanceOf(Anthropic.BadRequestError);
    expect(again).toMatchObject({ error: { error: { details: { error_code: "tool_call_already_resolved" } } } });
    const stranger = api.stranger.beta.sessions.events.send(id, {
      events: [{ type: "user.tool_confirmation", tool_use_id: asked.id, result: "allow" }],
    });
    await expect(stranger).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect((await events().list(id, { types: ["user.tool_confirmation"] })).data).toHaveLength(1);
  });

  it("has a message only when it refuses, and is no way to begin a session", async () => {
    const { id, agent, environment_id } = await createSession(api.client);
    const asked = askedUse();
    await append(api, id, [asked]);
    const given = { tool_use_id: asked.id, result: "allow" as const };
    await expect(confirm(id, { ...given, deny_message: "no" })).rejects.toThrow(/400.*events\.0\.deny_message: /);
    const started = api.client.beta.sessions.create({
      agent: agent.id,
      environment_id,
      // @ts-expect-error not among the initial events
      initial_events: [{ type: "user.tool_confirmation", ...given }],
    });
    await expect(started).rejects.toThrow(/400.*initial_events\.0\.type/);
    expect((await events().list(id)).data).toHaveLength(1);
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
