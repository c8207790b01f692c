import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createDatabase, type Database } from "../../src/database.ts";
import {
  createEnvironmentImageStore,
  type EnvironmentImageStore,
} from "../../src/environments/environment-image-store.ts";
import {
  createEnvironmentImages,
  EnvironmentBuildError,
  type EnvironmentImages,
} from "../../src/environments/environment-images.ts";
import { createEnvironmentStore } from "../../src/environments/environment-store.ts";
import { createEnvironments, type Environments } from "../../src/environments/environments.ts";
import { removeDeadBuilds, removeUnusedImages } from "../../src/environments/unused-images.ts";
import { createLog } from "../../src/log.ts";
import type { CloudConfigParams } from "../../src/schemas/environment.ts";
import type { EnvironmentBuild } from "../../src/schemas/event.ts";
import { createFakeImageBuilder, type FakeImageBuilder } from "../fakes/image-builder.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { shapeOf } from "../support/sandbox-shape.ts";

const WORKSPACE = "wrkspc_test";
const NEVER = new AbortController().signal;
const LEASE_MS = 300;
const MIB = 1024 * 1024;
const DEFAULTS = shapeOf("base:1");
const log = createLog("silent");

let testDatabase: TestDatabase;
let database: Database;
let store: EnvironmentImageStore;
let environments: Environments;
let builder: FakeImageBuilder;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase(testDatabase.url, () => undefined);
  store = createEnvironmentImageStore(database.pool);
  environments = createEnvironments(createEnvironmentStore(database.prisma));
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  builder = createFakeImageBuilder();
  await database.pool.query("DELETE FROM environment_images; DELETE FROM environments; DELETE FROM sessions");
});

/** As each process has it. */
const process = (owner: string, installationId = "here"): EnvironmentImages =>
  createEnvironmentImages({ store, builder, installationId, defaults: DEFAULTS, owner, log, leaseMs: LEASE_MS });

/** A session in a new environment. */
async function session(config: Omit<CloudConfigParams, "type">, workspaceId = WORKSPACE) {
  const { id } = await environments.create(workspaceId, { name: "x", config: { type: "cloud", ...config } });
  const sessionId = `sesn_${id}`;
  await database.pool.query(
    `INSERT INTO sessions (id, workspace_id, agent_id, agent_version, agent, environment_id, thread_id, metadata, status, usage)
     VALUES ($1, $2, 'agent', 1, '{}', $3, $1, '{}', 'idle', '{}')`,
    [sessionId, workspaceId, id],
  );
  return { sessionId, workspaceId, environmentId: id };
}

type TestSession = Awaited<ReturnType<typeof session>>;

/** Asks for the shape, and notes what is told of the build. */
function ask(images: EnvironmentImages, { sessionId, workspaceId }: TestSession, signal = NEVER) {
  const told: Pick<EnvironmentBuild, "status" | "step">[] = [];
  const onBuild = async ({ status, step }: EnvironmentBuild) => void told.push({ status, step });
  const shape = images.shapeFor({ sessionId, workspaceId }, { onBuild, signal });
  shape.catch(() => undefined); // the test looks at it later
  return { shape, told };
}

async function buildUnderWay(count = 1) {
  await vi.waitUntil(() => builder.builds.length >= count, { timeout: 10_000 });
  const found = builder.builds[count - 1];
  if (!found) throw new Error("no build");
  return found;
}

describe("the shape of an environment", () => {
  it("is the server's own where nothing is asked for", async () => {
    const { shape, told } = ask(process("a"), await session({}));
    expect(await shape).toEqual(DEFAULTS);
    expect(told).toEqual([]);
  });

  it("has the machine that is asked for", async () => {
    const deckhand = { cpus: 0.5, memory_mb: 256, pids: 64, disk_mb: 128, runtime: "runsc", base_image: "mine:2" };
    const { shape } = ask(process("a"), await session({ deckhand }));
    expect(await shape).toEqual({
      image: "mine:2",
      limits: {
        cpus: 0.5,
        memoryBytes: 256 * MIB,
        pids: 64,
        diskBytes: 128 * MIB,
        sharedMemoryBytes: 128 * MIB,
      },
      runtime: "runsc",
    });
  });

  it("can't be had with packages on a base image that is not there", async () => {
    const { shape } = ask(
      process("a"),
      await session({ packages: { pip: ["x"] }, deckhand: { base_image: "gone:1" } }),
    );
    await expect(shape).rejects.toThrow("The base image gone:1 is not there.");
  });
});

describe("an environment's image", () => {
  it("is built once for all who want it, who hear of the same steps", async () => {
    const wanted = await session({ packages: { pip: ["x"] } });
    const asked = [ask(process("a"), wanted), ask(process("b"), wanted), ask(process("c"), wanted)];
    const { build, succeed } = await buildUnderWay();
    await build.onStep("apt: y");
    await vi.waitUntil(() => asked.every(({ told }) => told.length === 2), { timeout: 10_000 });
    await build.onStep("pip: x");
    await vi.waitUntil(() => asked.every(({ told }) => told.length === 3), { timeout: 10_000 });
    succeed();
    for (const { shape, told } of asked) {
      expect((await shape).image).toBe(`environment:${build.hash}`);
      expect(told).toEqual([
        { status: "started", step: null },
        { status: "running", step: "apt: y" },
        { status: "running", step: "pip: x" },
        { status: "finished", step: null },
      ]);
    }
    const later = ask(process("d"), wanted);
    expect((await later.shape).image).toBe(`environment:${build.hash}`);
    expect(later.told).toEqual([]);
    expect(builder.builds).toHaveLength(1);
  });

  it("is another one in another workspace, on another base, of another installation, and in another order", async () => {
    const environment = { id: "env", workspaceId: "w", config: (await anEnvironment({ pip: ["x", "y"] })).config };
    const hashOf = (change: object, images = process("a")) => images.hashOf({ ...environment, ...change }, NEVER);
    const reordered = (await anEnvironment({ pip: ["y", "x"] })).config;
    const hashes = [
      await hashOf({}),
      await hashOf({ workspaceId: "other" }),
      await hashOf({}, process("a", "there")),
      await hashOf({ config: reordered }),
    ];
    builder.baseImages.set("base:1", "sha256:made-anew");
    hashes.push(await hashOf({}));
    expect(new Set(hashes).size).toBe(5);
    builder.baseImages.set("base:1", "sha256:base-1");
    expect(await hashOf({ id: "env_other" })).toBe(hashes[0]);
  });

  it("has a socket at the gateway while it is built, for what its environment allows besides the registries", async () => {
    const allowed = { allowed_hosts: ["mirror.example"], allow_package_managers: true };
    const networking = { type: "limited" as const, ...allowed };
    const { shape } = ask(process("a"), await session({ networking, packages: { npm: ["x"] } }));
    const { build, succeed } = await buildUnderWay();
    const rows = () =>
      database.pool.query("SELECT gateway_id, networking FROM environment_images").then(({ rows: found }) => found);
    expect(await rows()).toEqual([
      {
        gateway_id: build.slot,
        networking: { type: "limited", allowedHosts: ["mirror.example"], packageManagers: true },
      },
    ]);
    succeed();
    await shape;
    expect(await rows()).toMatchObject([{ gateway_id: null }]);
  });

  it("that failed is an error which quotes the package manager, for all who wait, and is tried anew when next asked for", async () => {
    const wanted = await session({ packages: { pip: ["x"] } });
    const asked = [ask(process("a"), wanted), ask(process("b"), wanted)];
    const { build, fail } = await buildUnderWay();
    await build.onStep("pip: x");
    await vi.waitUntil(() => asked.every(({ told }) => told.length === 2), { timeout: 10_000 });
    fail("No matching distribution");
    for (const { shape, told } of asked) {
      await expect(shape).rejects.toThrow(EnvironmentBuildError);
      await expect(shape).rejects.toThrow(/pip: x: It ended with code 1\.\nNo matching distribution$/);
      expect(told.map(({ status }) => status)).toEqual(["started", "running", "failed"]);
    }
    const again = ask(process("b"), wanted);
    (await buildUnderWay(2)).succeed();
    expect((await again.shape).image).toMatch(/^environment:/);
  });

  it("is built by another process when its builder dies", async () => {
    const wanted = await session({ packages: { pip: ["x"] } });
    const environment = await store.environmentOf(wanted);
    if (!environment) throw new Error("no environment");
    const hash = (await process("a").hashOf(environment, NEVER)) ?? "";
    const networking = { type: "unrestricted" } as const;
    const dead = { hash, slot: "dead", workspaceId: WORKSPACE, builder: "dead", networking, leaseMs: LEASE_MS };
    expect(await store.claim(dead, { again: true })).toBe(true);
    builder.containers.add("dead");

    const { shape, told } = ask(process("b"), wanted);
    (await buildUnderWay()).succeed();
    await shape;
    expect(told.map(({ status }) => status)).toEqual(["started", "finished"]);
    await store.finish(dead, { error: "too late" });
    expect(await store.find(hash)).toMatchObject({ status: "ready" });
    await removeDeadBuilds({ store, builder, images: process("b"), log });
    expect([...builder.containers]).toEqual([]);
  });

  it("is broken off by a builder that was taken for dead, which then waits like the others", async () => {
    const wanted = await session({ packages: { pip: ["x"] } });
    const first = ask(process("a"), wanted);
    const zombie = await buildUnderWay();
    await database.pool.query(
      "UPDATE environment_images SET gateway_id = 'other', builder_until = now() + interval '1 ms'",
    );
    await vi.waitUntil(() => zombie.build.signal.aborted, { timeout: 10_000 });
    (await buildUnderWay(2)).succeed();
    expect((await first.shape).image).toBe(`environment:${zombie.build.hash}`);
  });

  it("is left to others by a builder that is told to stop", async () => {
    const wanted = await session({ packages: { pip: ["x"] } });
    const stopping = new AbortController();
    const first = ask(process("a"), wanted, stopping.signal);
    await buildUnderWay();
    const second = ask(process("b"), wanted);
    stopping.abort(new Error("enough"));
    await expect(first.shape).rejects.toThrow("enough");
    (await buildUnderWay(2)).succeed();
    await second.shape;
    expect(first.told.map(({ status }) => status)).toEqual(["started"]);
  });

  it("that the engine has lost is built again", async () => {
    const wanted = await session({ packages: { pip: ["x"] } });
    const first = ask(process("a"), wanted);
    (await buildUnderWay()).succeed();
    await first.shape;
    builder.images.clear();
    const second = ask(process("a"), wanted);
    (await buildUnderWay(2)).succeed();
    expect(await second.shape).toEqual(await first.shape);
  });
});

describe("the background", () => {
  it("builds an environment before a session asks, and minds none that is gone", async () => {
    const { id } = await anEnvironment({ npm: ["x"] });
    const built = process("a").build(WORKSPACE, id, NEVER);
    (await buildUnderWay()).succeed();
    await built;
    await process("a").build(WORKSPACE, "env_gone", NEVER);
    await process("a").build("wrkspc_other", id, NEVER);
    expect(builder.builds).toHaveLength(1);
  });

  it("removes images that nobody asks for or has used for a month, and only those", async () => {
    const images = process("a");
    const hashes = new Map<string, string>();
    for (const name of ["wanted", "unused", "recent", "needed"]) {
      const { id } = await anEnvironment({ npm: [name] });
      const built = images.build(WORKSPACE, id, NEVER);
      const { build, succeed } = await buildUnderWay(hashes.size + 1);
      succeed();
      await built;
      hashes.set(name, build.hash);
      if (name !== "wanted") await environments.delete(WORKSPACE, id);
    }
    const old = ["wanted", "unused", "needed"].map((name) => hashes.get(name));
    const aged = "UPDATE environment_images SET used_at = now() - interval '31 days' WHERE hash = ANY($1)";
    await database.pool.query(aged, [old]);
    builder.needed.add(`environment:${hashes.get("needed")}`);

    await removeUnusedImages({ store, builder, images, log }, NEVER);
    const left = ["wanted", "recent", "needed"].map((name) => hashes.get(name));
    expect([...builder.images.keys()]).toEqual(left);
    expect(await store.find(hashes.get("unused") ?? "")).toBeNull();
  });

  it("leaves builds alone that are under way", async () => {
    const { shape } = ask(process("a"), await session({ packages: { npm: ["x"] } }));
    const { build, succeed } = await buildUnderWay();
    await removeDeadBuilds({ store, builder, images: process("b"), log });
    expect([...builder.containers]).toEqual([build.slot]);
    succeed();
    await shape;
  });
});

function anEnvironment(packages: CloudConfigParams["packages"]) {
  return environments.create(WORKSPACE, { name: "x", config: { type: "cloud", packages } });
}
