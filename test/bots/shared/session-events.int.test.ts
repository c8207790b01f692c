import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { followSession, type SessionNews } from "../../../bots/shared/session-events.ts";
import { INITIAL_STATE } from "../../../src/sessions/transition.ts";
import { createSession, startApi, type TestApi } from "../../support/api.ts";
import { customUse } from "../../support/events.ts";
import { agentMessage, append } from "../../support/session-log.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** A client whose first stream ends as soon as it is open. */
function clientThatBreaksOnce(): Anthropic {
  let broken = false;
  return new Anthropic({
    baseURL: api.baseURL,
    apiKey: api.key,
    fetch: async (url, init) => {
      if (broken || !new Request(url).url.includes("/events/stream")) return fetch(url, init);
      broken = true;
      return new Response("", { headers: { "content-type": "text/event-stream" } });
    },
  });
}

describe("following a session", () => {
  it("misses nothing that was committed before a client's result which came first", async () => {
    const { id } = await createSession(api.client);
    const call = customUse();
    await append(api, id, [call]);
    const sent = [{ type: "user.custom_tool_result" as const, custom_tool_use_id: call.id }];
    await api.client.beta.sessions.events.send(id, { events: sent });
    const [result] = await api.eventLog.inbox(id);
    if (result?.type !== "user.custom_tool_result") throw new Error("the result does not wait");

    const stop = new AbortController();
    const news = followSession({
      client: clientThatBreaksOnce(),
      sessionId: id,
      after: null,
      previews: false,
      signal: stop.signal,
    });
    const until = async (done: (one: SessionNews) => boolean) => {
      for (let next = await news.next(); !next.done; next = await news.next()) if (done(next.value)) return next.value;
      return null;
    };
    await until(({ type }) => type === "caught_up");
    const message = agentMessage("meanwhile");
    const events = [{ event: message }, { event: result }];
    const fence = { sessionId: id, epoch: 0 };
    await api.eventLog.append({ fence, events, taken: [result.id], state: INITIAL_STATE });
    expect(await until(({ type }) => type === "event")).toEqual({ type: "event", event: message });
    stop.abort();
    await expect(until(() => false)).rejects.toThrow();
  });
});
