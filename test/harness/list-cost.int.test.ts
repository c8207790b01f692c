import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAnthropicProvider } from "../../src/models/anthropic.ts";
import { createModelRegistry } from "../../src/models/registry.ts";
import { INITIAL_STATE } from "../../src/sessions/transition.ts";
import { textResult } from "../fakes/sandbox.ts";
import { bash, refuses, says } from "../fakes/messages-answer.ts";
import { type HarnessRig, startHarnessRig } from "../support/harness-rig.ts";

const CENT = 1e9;
/** At Sonnet 4.6's price: 3, 15, 3.75 and 0.3 USD for a million tokens. */
const USAGE = {
  input_tokens: 1_001,
  output_tokens: 2_003,
  cache_creation_input_tokens: 3_007,
  cache_read_input_tokens: 50_021,
};
const COST = 1_001 * 300_000 + 2_003 * 1_500_000 + 3_007 * 375_000 + 50_021 * 30_000;

let rig: HarnessRig;
beforeAll(async () => {
  rig = await startHarnessRig();
});
afterAll(() => rig.close());

const freeRuntime = (id: string, usage: object = {}) =>
  rig.prisma.session.update({
    where: { id },
    data: { usage: { ...INITIAL_STATE.usage, runtime_nanocents_per_hour: 0, ...usage } },
  });
const tokenNanocents = async (id: string) => Object((await rig.row(id)).usage).token_nanocents;
const reported = async (id: string) =>
  (await rig.events(id)).flatMap((event) => (event.type === "session.usage" ? [event.usage.list_cost?.amount] : []));

describe("the list cost of a session", () => {
  it("is the sum of its requests, each exactly, and is told when the turn ends", async () => {
    const id = await rig.newSession();
    await freeRuntime(id);
    rig.run = async () => textResult("files");
    rig.api.queue({ ...bash("ls"), usage: USAGE }, { ...says("Done."), usage: USAGE });
    await rig.turn(id, "look");
    expect(await tokenNanocents(id)).toBe(2 * COST);
    expect(await reported(id)).toEqual([String(Math.round((2 * COST) / CENT))]);
  });

  it("stays what it was when prices change: what comes later costs the new price", async () => {
    const id = await rig.newSession();
    await freeRuntime(id);
    rig.api.queue({ ...says("One."), usage: USAGE });
    await rig.turn(id, "one");
    const provider = createAnthropicProvider({ apiKey: rig.api.apiKey, baseUrl: rig.api.url });
    const free = { input: 0, output: 1, cache_write_5m: 0, cache_write_1h: 0, cache_read: 0 };
    rig.api.queue({ ...says("Two."), usage: USAGE });
    await rig.send(id, "two");
    await rig.runSession(id, { findModel: createModelRegistry([provider], { "claude-sonnet-4-6": free }).find });
    expect(await tokenNanocents(id)).toBe(COST + 2_003 * 100_000);
  });

  it("counts the request that makes room in the context, and none that failed", async () => {
    const id = await rig.newSession();
    await freeRuntime(id);
    const full = { input_tokens: 190_000, output_tokens: 0 };
    rig.api.queue({ ...says("Long."), usage: full });
    await rig.turn(id, "fill it");
    rig.api.queue({ ...says("The summary."), usage: USAGE }, refuses(400));
    await rig.turn(id, "go on");
    expect(await rig.types(id)).toContain("agent.thread_context_compacted");
    expect(await tokenNanocents(id)).toBe(190_000 * 300_000 + COST);
  });

  it("goes on in a session from before costs were counted", async () => {
    const id = await rig.newSession();
    const { token_nanocents: _, runtime_nanocents_per_hour: __, ...old } = INITIAL_STATE.usage;
    await rig.prisma.session.update({ where: { id }, data: { usage: { ...old, input_tokens: 7 } } });
    rig.api.queue({ ...says("Hello."), usage: USAGE });
    await rig.turn(id, "hi");
    expect((await rig.row(id)).usage).toMatchObject({
      input_tokens: 7 + USAGE.input_tokens,
      token_nanocents: COST,
      runtime_nanocents_per_hour: 8 * CENT,
    });
  });
});
