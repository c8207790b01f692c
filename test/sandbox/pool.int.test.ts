import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { bash, createTestSandboxes, NEVER, newSessionId, SHAPE } from "../support/sandboxes.ts";
import { SANDBOX_IMAGE } from "../support/sandbox-image.ts";
import { shapeOf } from "../support/sandbox-shape.ts";

let sandboxes = createTestSandboxes();
afterEach(async () => {
  await sandboxes.removeAll();
  sandboxes = createTestSandboxes();
});

const withPool = (size: number) => sandboxes.provider({ pool: { shape: SHAPE, size } });
const pooled = async () => (await sandboxes.containerNames()).filter((name) => name.includes(".pool."));
const claim = (provider: ReturnType<typeof withPool>, sessionId = newSessionId()) =>
  provider.provision({ sessionId, shape: SHAPE }, NEVER);

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

it("hands out started sandboxes, each once, and makes new ones", async () => {
  const provider = withPool(2);
  await provider.poolFilled();
  const before = await pooled();
  expect(before).toHaveLength(2);
  const claimed = await Promise.all([claim(provider), claim(provider), claim(provider)]);
  expect(new Set(claimed.map(({ ref }) => ref)).size).toBe(3);
  for (const sandbox of claimed) expect(await bash(sandbox, "ls -A /workspace")).toBe("(no output)");
  await until(async () => (await pooled()).length === 2);
  expect((await pooled()).some((name) => before.includes(name))).toBe(false);
});

it("lists a claimed sandbox under its session, and an unclaimed one not at all", async () => {
  const provider = withPool(1);
  await provider.poolFilled();
  expect(await provider.list()).toEqual([]);
  const sessionId = newSessionId();
  const { ref } = await claim(provider, sessionId);
  expect(await sandboxes.provider().list()).toEqual([{ ref, sessionId }]);
});

it("makes a sandbox of another shape anew, and then keeps one of it ready for the next", async () => {
  const provider = withPool(1);
  await provider.poolFilled();
  await sandboxes.docker.getImage(SANDBOX_IMAGE).tag({ repo: "deckhand/sandbox", tag: sandboxes.installationId });
  const shape = shapeOf(`deckhand/sandbox:${sandboxes.installationId}`, { memoryBytes: 300 * 1024 ** 2, pids: 99 });
  const usual = await pooled();
  const first = await provider.provision({ sessionId: newSessionId(), shape }, NEVER);
  expect(first.image).toBe(shape.image);
  await until(async () => (await pooled()).length === 2);
  const ready = (await pooled()).find((name) => !usual.includes(name));
  await provider.poolFilled();
  const { Id } = await sandboxes.docker.getContainer(ready ?? "").inspect();
  const { pids, ...limits } = shape.limits;
  const sameInOtherOrder = { runtime: null, limits: { ...limits, pids }, image: shape.image };
  const second = await provider.provision({ sessionId: newSessionId(), shape: sameInOtherOrder }, NEVER);
  expect(second.ref).toBe(Id);
  const { HostConfig } = await sandboxes.docker.getContainer(second.ref).inspect();
  expect(HostConfig).toMatchObject({ Memory: 300 * 1024 ** 2, PidsLimit: 99, OomScoreAdj: 200 });
  expect(await bash(second, "ulimit -c; ulimit -n")).toBe("0\n4096\n");
  await provider.close();
  expect(await pooled()).toEqual([]);
  await Promise.all([first, second].map(({ ref }) => provider.destroy(ref)));
  await sandboxes.docker.getImage(shape.image).remove();
});

it("does not hand out a member that died while it waited", async () => {
  const provider = withPool(1);
  await provider.poolFilled();
  const [name] = await pooled();
  await sandboxes.docker.getContainer(name ?? "").remove({ force: true });
  expect(await bash(await claim(provider), "echo alive")).toBe("alive\n");
});

it("leaves nothing of an aborted claim behind", async () => {
  const provider = withPool(1);
  await provider.poolFilled();
  const aborting = new AbortController();
  const claiming = provider.provision({ sessionId: newSessionId(), shape: SHAPE }, aborting.signal);
  aborting.abort(new Error("never mind"));
  await expect(claiming).rejects.toThrow("never mind");
  expect(await provider.list()).toEqual([]);
});

it("removes what nobody claimed when it closes, and nothing else", async () => {
  const provider = withPool(2);
  await provider.poolFilled();
  const { ref } = await claim(provider);
  await provider.close();
  expect(await pooled()).toEqual([]);
  expect(await sandboxes.provider().attach(ref, NEVER)).not.toBeNull();
});

it("of a killed worker is removed by the next one, its claimed sandboxes and a living sibling's pool are not", async () => {
  const sibling = withPool(1);
  await sibling.poolFilled();
  const siblings = await pooled();
  const sessionId = newSessionId();
  const worker = fork(path.resolve(import.meta.dirname, "../support/pool-worker.ts"), [
    sandboxes.installationId,
    SANDBOX_IMAGE,
    sessionId,
  ]);
  const [ref] = await once(worker, "message");
  await until(async () => (await pooled()).length === 3);
  worker.kill("SIGKILL");
  await once(worker, "exit");

  const now = () => Date.now() + 60_000; // as if the members had been there for a while
  const next = sandboxes.provider({ now });
  await until(async () => {
    await next.removeOrphans();
    return (await pooled()).length === 1;
  });
  expect(await pooled()).toEqual(siblings);
  expect(await next.list()).toEqual([{ ref, sessionId }]);
  expect(await bash(await claim(sibling), "echo alive")).toBe("alive\n");
});
