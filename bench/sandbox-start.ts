import { newId } from "../src/ids.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { openBareShell } from "./bare-shell.ts";
import { against, atMost, type Bench, type Figure } from "./figure.ts";
import { p50, p95 } from "./percentiles.ts";
import { pooledReady } from "./pooled-ready.ts";
import { type BenchSandboxes, openSandboxHome } from "./sandbox-home.ts";
import { timed } from "./timed.ts";

const POOL_SIZE = 8;
const WARM_ROUNDS = 4;
const COLD_WARM_UP = 2;
const COLD_SAMPLES = 20;
const WARM_MAX_MS = 10;
const TIMES_RUN_MAX = 1.3;

/** What one session waited for, in ms. */
interface Start {
  /** Until it had its sandbox. */
  got: number;
  /** From then until the result of its first tool, a bash call of `true`. */
  tool: number;
}

const totalOf = ({ got, tool }: Start) => got + tool;

/** From the wish for a sandbox to the first result of a tool in it: taken from the warm pool, and made for it. */
export async function measureSandboxStart(bench: Bench): Promise<Figure[]> {
  const home = await openSandboxHome(bench);
  const pooled = await home.open(POOL_SIZE);
  const warm = await warmFigures(bench, pooled);
  await pooled.provider.close();
  return [...warm, ...(await coldFigures(bench, await home.open(0)))];
}

async function warmFigures(bench: Bench, sandboxes: BenchSandboxes): Promise<Figure[]> {
  const { provider, docker, installation } = sandboxes;
  bench.say(`${WARM_ROUNDS} × ${POOL_SIZE} claims of pooled sandboxes, the first round to warm up`);
  const starts: Start[] = [];
  const shells: number[] = [];
  for (let round = 0; round < WARM_ROUNDS; round++) {
    await pooledReady(installation, bench.signal, POOL_SIZE);
    const claimed: Sandbox[] = [];
    // One right after the other: the pool makes new ones when nobody has claimed any for a moment.
    for (let at = 0; at < POOL_SIZE; at++) {
      const { sandbox, start } = await startOne(sandboxes, bench.signal);
      claimed.push(sandbox);
      if (round > 0) starts.push(start);
    }
    for (const { ref } of claimed) {
      const shell = await openBareShell(docker.getContainer(ref));
      await shell.run("true");
      if (round > 0) shells.push(await timed(() => shell.run("true")));
      shell.close();
    }
    await Promise.all(claimed.map(({ ref }) => provider.destroy(ref)));
  }
  const totals = starts.map(totalOf);
  const note = `claim to first tool result, n = ${starts.length}; floor: \`true\` in a bare bash over an exec that is open`;
  return [
    { ...against("start_warm.p50", "ms", p50(totals), p50(shells), `p50 of ${note}`), target: atMost(WARM_MAX_MS) },
    against("start_warm.p95", "ms", p95(totals), p95(shells), "p95 of both"),
    ...parts("start_warm", starts, "the claim: the engine renames a container"),
  ];
}

async function coldFigures(bench: Bench, sandboxes: BenchSandboxes): Promise<Figure[]> {
  const { provider, bare } = sandboxes;
  bench.say(`${COLD_WARM_UP} + ${COLD_SAMPLES} sandboxes made, each beside two bare containers`);
  const starts: Start[] = [];
  const runs: number[] = [];
  const offlineRuns: number[] = [];
  for (let at = 0; at < COLD_WARM_UP + COLD_SAMPLES; at++) {
    const { sandbox, start } = await startOne(sandboxes, bench.signal);
    await provider.destroy(sandbox.ref);
    const runMs = await timedRun(bare.run, bare.remove);
    const offlineMs = await timedRun(bare.runWithoutNetwork, bare.remove);
    if (at < COLD_WARM_UP) continue;
    starts.push(start);
    runs.push(runMs);
    offlineRuns.push(offlineMs);
  }
  const totals = starts.map(totalOf);
  const note = `create to first tool result, n = ${starts.length}; floor: docker run of the same image with \`true\``;
  const cold = against("start_cold.p50", "ms", p50(totals), p50(runs), `p50 of ${note}, alternating`);
  return [
    { ...cold, target: atMost(TIMES_RUN_MAX, "ratio") },
    against("start_cold.p95", "ms", p95(totals), p95(runs), "p95 of both"),
    against(
      "start_cold.offline",
      "ms",
      p50(totals),
      p50(offlineRuns),
      "p50 of the same; floor: the same without a network",
    ),
    ...parts("start_cold", starts, "making it: disk, folder, container, runner"),
  ];
}

async function startOne(
  { provider, shape }: BenchSandboxes,
  signal: AbortSignal,
): Promise<{ sandbox: Sandbox; start: Start }> {
  const sessionId = newId("sesn");
  const askedAt = performance.now();
  const sandbox = await provider.provision({ sessionId, shape }, signal);
  const gotAt = performance.now();
  const { isError } = await sandbox.call(newId("sevt"), { op: "bash", command: "true" }, signal);
  const answeredAt = performance.now();
  if (isError) throw new Error("The first tool of a sandbox failed.");
  return { sandbox, start: { got: gotAt - askedAt, tool: answeredAt - gotAt } };
}

async function timedRun<Container>(
  run: () => Promise<Container>,
  remove: (container: Container) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  const container = await run();
  const tookMs = performance.now() - startedAt;
  await remove(container);
  return tookMs;
}

function parts(name: string, starts: readonly Start[], what: string): Figure[] {
  const part = (label: string, value: number, note: string): Figure => {
    return { name: `${name}.${label}`, value, unit: "ms", floor: null, ratio: null, target: null, note };
  };
  return [
    part("got", p50(starts.map(({ got }) => got)), `p50 of ${what}`),
    part("tool", p50(starts.map(({ tool }) => tool)), "p50 of the first tool call"),
  ];
}
