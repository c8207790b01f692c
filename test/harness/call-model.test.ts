import { describe, expect, it } from "vitest";
import { LeaseLostError } from "../../src/errors.ts";
import { callModel } from "../../src/harness/call-model.ts";
import { Turn } from "../../src/harness/turn.ts";
import type { ModelResponse, ModelStreamEvent } from "../../src/models/model-provider.ts";
import type { EventPreview, SessionEvent } from "../../src/schemas/event.ts";
import type { Append, Appended } from "../../src/sessions/event-log.ts";
import { NO_USAGE, stateOf } from "../support/events.ts";
import { testAgent } from "../support/test-agent.ts";

function startTurn(append: (request: Append) => Promise<Appended | null>) {
  const lease = {
    fence: { sessionId: "sesn_1", epoch: 1 },
    workspaceId: "wrkspc_1",
    threadId: "sthr_1",
    agent: testAgent(),
    state: stateOf("running"),
    queuedCount: 0,
    wakeAt: null,
  };
  return new Turn(lease, { append }, []);
}

async function answered(content: ModelResponse["content"], deltas: [number, string][] = []) {
  const turn = startTurn(async () => ({ firstSeq: 1, queuedCount: 0 }));
  const previews: { preview: EventPreview; frame: number }[] = [];
  async function* stream(): AsyncGenerator<ModelStreamEvent> {
    for (const [index, text] of deltas) yield { type: "text", index, text };
    yield { type: "response", response: { content, stopReason: "end_turn", usage: NO_USAGE } };
  }
  await callModel(
    turn,
    { stream, price: null },
    (preview, frame) => previews.push({ preview, frame }),
    new AbortController().signal,
  );
  return { turn, previews, events: turn.events.map(({ event }) => event) };
}

const messageOf = (events: readonly SessionEvent[]) => events.find((event) => event.type === "agent.message");

describe("a model's answer", () => {
  it("is previewed under the id and the block numbers of the message it becomes", async () => {
    const deltas: [number, string][] = [
      [0, "\n"],
      [0, "\n"],
      [1, " "],
      [1, "Hel"],
      [1, "lo"],
      [2, "World"],
    ];
    const content = ["\n\n", " Hello", "World"].map((text) => ({ type: "text" as const, text }));
    const { previews, events } = await answered(content, deltas);
    const message = messageOf(events);
    const shown: string[] = [];
    for (const { preview } of previews) {
      if (preview.type === "event_start") expect(preview.event.id).toBe(message?.id);
      else shown[preview.delta.index] = (shown[preview.delta.index] ?? "") + preview.delta.content.text;
    }
    expect(shown).toEqual(message?.content.map(({ text }) => text));
    expect(previews.map(({ frame }) => frame)).toEqual([0, 1, 2, 3]);
    expect(previews[0]?.preview.type).toBe("event_start");
  });

  it("that stays blank is no message and has no preview", async () => {
    const { previews, events } = await answered([{ type: "text", text: " \n" }], [[0, " \n"]]);
    expect(messageOf(events)).toBeUndefined();
    expect(previews).toEqual([]);
  });

  it("is kept in a form that can be sent back", async () => {
    const thinking = { type: "thinking" as const, opaque: { signature: "s" } };
    const { turn } = await answered([
      thinking,
      { type: "text", text: " " },
      { type: "tool_use", id: "toolu_1", name: "bash", input: ["no", "object"] },
      thinking,
    ]);
    const hidden = turn.events.find(({ event }) => event.type === "span.model_request_end")?.private;
    const call = turn.view.unresolvedCalls[0];
    expect(hidden).toEqual({
      content: [thinking, { type: "tool_use", id: call?.id, name: "bash", input: { value: ["no", "object"] } }],
    });
  });

  it("of a harness that lost its lease is not read to its end", async () => {
    const lost = Promise.withResolvers<Appended>();
    const turn = startTurn(() => lost.promise);
    let stopped = false;
    const shown: EventPreview[] = [];
    async function* stream(signal: AbortSignal): AsyncGenerator<ModelStreamEvent> {
      yield { type: "thinking" };
      lost.reject(new LeaseLostError("sesn_1"));
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      stopped = true;
      throw signal.reason;
    }
    const calling = callModel(
      turn,
      { stream, price: null },
      (preview) => shown.push(preview),
      new AbortController().signal,
    );
    await expect(calling).rejects.toThrow(LeaseLostError);
    await expect.poll(() => stopped).toBe(true);
    expect(shown.map(({ type }) => type)).toEqual(["event_start"]);
    expect(turn.events.map(({ event }) => event.type)).toEqual(["span.model_request_start"]);
  });
});
