import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { createLog } from "../../src/log.ts";
import { createDiskWatch } from "../../src/sandbox/disk-watch.ts";
import { createLoopDisks } from "../../src/sandbox/loop-disks.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { SandboxDisks } from "../../src/sandbox/sandbox-disks.ts";
import { SANDBOX_IMAGE } from "../support/sandbox-image.ts";
import { shapeOf } from "../support/sandbox-shape.ts";
import { bash, createTestSandboxes, NEVER, newSessionId } from "../support/sandboxes.ts";

const MIB = 1024 ** 2;
const SHAPE = shapeOf(SANDBOX_IMAGE, { diskBytes: 64 * MIB });
const WRITE = "head -c 50M /dev/zero >";

const sandboxes = createTestSandboxes();
const dir = await mkdtemp(path.join(tmpdir(), "deckhand-watch-"));
const disks = createLoopDisks(dir);

afterAll(async () => {
  await sandboxes.removeAll();
  for (const slot of await disks.list()) await disks.remove(slot);
  await rm(dir, { recursive: true });
});

async function openTwo(own: SandboxDisks | null) {
  const provider = sandboxes.provider({ disks: own });
  const open = () => provider.provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
  return { provider, pair: await Promise.all([open(), open()]) };
}

function watchOf(own: SandboxDisks | null, freeBytes: number | null) {
  const { docker, installationId } = sandboxes;
  return createDiskWatch({
    docker,
    installationId,
    disks: own,
    freeBytes: async () => freeBytes,
    log: createLog("silent"),
  });
}

const isRunning = async ({ ref }: Sandbox) => (await sandboxes.docker.getContainer(ref).inspect()).State.Running;

it("ends a sandbox that has written more than it may, says so to the next call, and does not start it again", async () => {
  const {
    provider,
    pair: [greedy, modest],
  } = await openTwo(null);
  const watch = watchOf(null, null);
  await Promise.all([bash(greedy, `${WRITE}a`), bash(modest, `${WRITE}a`)]);
  await watch.look();
  expect(await isRunning(greedy)).toBe(true);
  const ended = async () => {
    while (await isRunning(greedy)) await watch.look();
  };
  await expect(Promise.all([bash(greedy, `${WRITE}b; sleep 60`), ended()])).rejects.toThrow(
    /^The sandbox was lost: its disk was full \(\d+ MB of 64 MB\)\.$/,
  );
  expect(await bash(modest, "echo alive")).toBe("alive\n");
  expect(await provider.attach(greedy.ref, NEVER)).toBeNull();
  expect((await provider.list()).map(({ ref }) => ref)).not.toContain(greedy.ref);
  await watch.close();
});

it.each([
  ["without disks", null],
  ["with disks", disks],
])(
  "ends the one that writes most while the host has hardly any space left, %s, and keeps its files",
  async (_, own) => {
    const {
      provider,
      pair: [greedy, modest],
    } = await openTwo(own);
    const watch = watchOf(own, MIB);
    await Promise.all([bash(greedy, "echo kept >kept"), bash(modest, `${WRITE}a; sync`)]);
    await watch.look(); // what was written before the first look counts for nothing
    await Promise.all([bash(greedy, `${WRITE}a; sync`), bash(modest, "head -c 1M /dev/zero >b; sync")]);
    await watch.look();
    expect([await isRunning(greedy), await isRunning(modest)]).toEqual([false, true]);
    const again = await provider.attach(greedy.ref, NEVER);
    expect(again && (await bash(again, "cat kept"))).toBe("kept\n");
    await watch.close();
  },
);
