import { describe, expect, it } from "vitest";
import type { EventPreview } from "../../src/schemas/event.ts";
import { createLive } from "../../src/sessions/live.ts";
import { WakeupListeners } from "../../src/sessions/wakeup-listeners.ts";
import { agentMessage, logged } from "../support/events.ts";

const ID = "sesn_1";

describe("a preview that comes in while its message is read from the log", () => {
  it("is not shown after the message", async () => {
    const listeners = new WakeupListeners();
    const message = agentMessage("Hello");
    const after = agentMessage("World");
    const reading = Promise.withResolvers<void>();
    const committed = Promise.withResolvers<void>();
    let reads = 0;
    const live = createLive(
      {
        lastSeq: async () => 0,
        async read() {
          reads += 1;
          if (reads > 1) return reads === 2 ? [{ seq: 2, event: after, private: null }] : [];
          reading.resolve();
          await committed.promise;
          return logged([message]);
        },
      },
      { subscribe: async (sessionId, listener) => listeners.add(sessionId, listener) },
    );
    const stop = new AbortController();
    const items = (await live.follow(ID, { previews: ["agent.message"] }, stop.signal))[Symbol.asyncIterator]();
    const first = items.next();
    await reading.promise;
    const wake = (preview: EventPreview, frame: number) => listeners.wake({ sessionId: ID, preview, frame });
    wake({ type: "event_start", event: { type: "agent.message", id: message.id } }, 0);
    const delta = { type: "content_delta" as const, index: 0, content: { type: "text" as const, text: "Hel" } };
    wake({ type: "event_delta", event_id: message.id, delta }, 1);
    committed.resolve();
    expect((await first).value).toEqual(message);
    expect((await items.next()).value).toEqual(after);
    stop.abort();
  });
});
