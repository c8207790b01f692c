import { readdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Container } from "dockerode";
import { messageOf } from "../src/errors.ts";
import { newId } from "../src/ids.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { against, atMost, type Bench, type Figure } from "./figure.ts";
import { availableMemory, memoryInUse } from "./memory.ts";
import { type BenchSandboxes, openSandboxHome } from "./sandbox-home.ts";

const IDLE = 10;
/** After the last tool call, until nothing of it runs any more. */
const SETTLE_MS = 3_000;
const AT_ONCE = 50;
/** As an installation has it that says nothing of it. */
const POOL_SIZE = 2;

/** What idle sandboxes hold of the machine's memory, and fifty that are wanted at once, beside bare containers. */
export async function measureSandboxCrowd(bench: Bench): Promise<Figure[]> {
  const home = await openSandboxHome(bench);
  const unpooled = await home.open(0);
  const memory = await memoryFigures(bench, unpooled);
  await unpooled.provider.close();
  return [...memory, ...(await crowdFigures(bench, await home.open(POOL_SIZE)))];
}

/** In MiB, of one. */
interface Held {
  /** Less available on the machine, the engine's own share included; null where the machine does not tell. */
  machine: number | null;
  /** As the engine counts it. */
  engine: number;
}

async function memoryFigures(bench: Bench, sandboxes: BenchSandboxes): Promise<Figure[]> {
  const { provider, docker, bare } = sandboxes;
  bench.say(`memory of ${IDLE} idle sandboxes and of ${IDLE} bare containers`);
  const floor = await heldBy(
    () => inTurn(IDLE, () => bare.start()),
    (containers) => Promise.all(containers.map(bare.remove)),
    bench.signal,
  );
  const ours = await heldBy(
    async () => {
      const made = await inTurn(IDLE, () => useOne(sandboxes, bench.signal));
      return made.map(({ ref }) => docker.getContainer(ref));
    },
    (containers) => Promise.all(containers.map(({ id }) => provider.destroy(id))),
    bench.signal,
  );
  const note = `after one tool call, mean of ${IDLE}; floor: a bare container that sleeps`;
  return [
    against("idle_memory.engine", "MB", ours.engine, floor.engine, `of a sandbox as the engine counts it, ${note}`),
    ...(ours.machine === null || floor.machine === null
      ? []
      : [against("idle_memory.machine", "MB", ours.machine, floor.machine, `less available on the machine, ${note}`)]),
  ];
}

async function heldBy(
  make: () => Promise<Container[]>,
  remove: (containers: Container[]) => Promise<unknown>,
  signal: AbortSignal,
): Promise<Held> {
  const before = await availableMemory();
  const containers = await make();
  await delay(SETTLE_MS, undefined, { signal });
  const after = await availableMemory();
  const statistics = await Promise.all(
    containers.map((container) => container.stats({ stream: false, "one-shot": true })),
  );
  await remove(containers);
  await delay(SETTLE_MS, undefined, { signal });
  return {
    machine: before === null || after === null ? null : (before - after) / containers.length,
    engine: statistics.map(memoryInUse).reduce((sum, one) => sum + one, 0) / containers.length,
  };
}

async function crowdFigures(bench: Bench, sandboxes: BenchSandboxes): Promise<Figure[]> {
  const { provider, bare, installation, wayOut } = sandboxes;
  bench.say(`${AT_ONCE} bare containers at once`);
  const bareStart = await all(() => bare.start());
  const bareRemoval = await eachOf(bareStart.results, bare.remove);

  bench.say(`${AT_ONCE} sandboxes at once`);
  const start = await all(() => useOne(sandboxes, bench.signal));
  const removal = await eachOf(start.results, ({ ref }) => provider.destroy(ref));
  await provider.close();
  const left = await Promise.all([installation.containers(), installation.disks(), readdir(wayOut.root)]);
  const failures = [...start.failures, ...removal.failures];
  for (const failure of new Set(failures)) bench.say(`failed: ${failure}`);
  const count = (name: string, value: number, note: string): Figure => {
    return { name, value, unit: "sandboxes", floor: null, ratio: null, target: atMost(0), note };
  };
  return [
    against(
      "crowd.started",
      "s",
      start.seconds,
      bareStart.seconds,
      `${AT_ONCE} with a tool call each; floor: bare containers`,
    ),
    against("crowd.removed", "s", removal.seconds, bareRemoval.seconds, "removed at once; floor: bare containers"),
    count("crowd.failures", failures.length, `of ${AT_ONCE} that were not made, used or removed`),
    count("crowd.left_behind", left.flat().length, "containers, disks and folders that were still there then"),
  ];
}

async function useOne({ provider, shape }: BenchSandboxes, signal: AbortSignal): Promise<Sandbox> {
  const sandbox = await provider.provision({ sessionId: newId("sesn"), shape }, signal);
  const { isError } = await sandbox.call(newId("sevt"), { op: "bash", command: "true" }, signal);
  if (isError) throw new Error("The first tool of a sandbox failed.");
  return sandbox;
}

interface Together<Result> {
  seconds: number;
  results: Result[];
  failures: string[];
}

const all = <Result>(one: () => Promise<Result>) => eachOf(Array.from({ length: AT_ONCE }), one);

async function eachOf<Given, Result>(
  given: readonly Given[],
  one: (given: Given) => Promise<Result>,
): Promise<Together<Result>> {
  const startedAt = performance.now();
  const settled = await Promise.allSettled(given.map(one));
  return {
    seconds: (performance.now() - startedAt) / 1000,
    results: settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
    failures: settled.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : [])),
  };
}

async function inTurn<Result>(count: number, one: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  while (results.length < count) results.push(await one());
  return results;
}
