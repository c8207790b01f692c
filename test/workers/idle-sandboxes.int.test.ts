import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createIdleStore, type SleepState } from "../../src/sandbox/idle-store.ts";
import { createSandboxStore } from "../../src/sandbox/sandbox-store.ts";
import { putIdleToSleep } from "../../workers/idle-sandboxes.ts";
import { openSessionDatabase, WORKSPACE } from "../support/session-database.ts";
import { SILENT } from "../support/silent-log.ts";

const AFTER = { paused: 60_000, stopped: 600_000, removed: 3_600_000 };

let db: Awaited<ReturnType<typeof openSessionDatabase>>;
beforeAll(async () => {
  db = await openSessionDatabase();
});
afterAll(() => db.close());
beforeEach(() => db.pool.query("DELETE FROM sandboxes"));

/** A session with a sandbox, whose last event was that long ago. */
async function idleFor(ms: number, status: "idle" | "running" = "idle"): Promise<{ id: string; ref: string }> {
  const id = await db.newSession({ status });
  const ref = `ref of ${id}`;
  const record = { ref, image: "image", mounted: [], gatewayId: null };
  await createSandboxStore(db.pool).save({ sessionId: id, workspaceId: WORKSPACE }, record);
  await db.pool.query("UPDATE sessions SET updated_at = now() - $2 * interval '1 ms' WHERE id = $1", [id, ms]);
  return { id, ref };
}

async function asleep(id: string): Promise<SleepState | null> {
  const { rows } = await db.pool.query("SELECT asleep FROM sandboxes WHERE session_id = $1", [id]);
  return rows[0].asleep;
}

/** One look of the worker at an engine that has these sandboxes; what it did, in order. */
async function lookOnce(present: string[], failing: string[] = []): Promise<string[]> {
  const done: string[] = [];
  const act = (what: string) => async (ref: string) => {
    done.push(`${what} ${ref}`);
    if (failing.includes(ref)) throw new Error("the engine is busy");
  };
  const provider = {
    list: async () => present.map((ref) => ({ ref, sessionId: ref })),
    pause: act("pause"),
    stop: act("stop"),
    destroy: act("destroy"),
  };
  const deps = { provider, store: createIdleStore(db.pool), after: AFTER, log: SILENT };
  await putIdleToSleep(deps, AbortSignal.any([]));
  return done;
}

describe("idle sandboxes", () => {
  it("are paused, then stopped, then removed, each once, and those in use are left alone", async () => {
    const used = await idleFor(1_000);
    const running = await idleFor(700_000, "running");
    const short = await idleFor(70_000);
    const long = await idleFor(700_000);
    const forgotten = await idleFor(4_000_000);
    const all = [used, running, short, long, forgotten].map(({ ref }) => ref);
    expect(await lookOnce(all)).toEqual([`destroy ${forgotten.ref}`, `stop ${long.ref}`, `pause ${short.ref}`]);
    expect(await Promise.all([used, running, short, long, forgotten].map(({ id }) => asleep(id)))).toEqual([
      null,
      null,
      "paused",
      "stopped",
      "removed",
    ]);
    expect(await lookOnce(all)).toEqual([]);
  });

  it("go on to the next state from the one before it", async () => {
    const { id, ref } = await idleFor(70_000);
    await lookOnce([ref]);
    await db.pool.query("UPDATE sessions SET updated_at = now() - interval '20 minutes' WHERE id = $1", [id]);
    expect(await lookOnce([ref])).toEqual([`stop ${ref}`]);
    expect(await asleep(id)).toBe("stopped");
  });

  it("that another engine has are left to its worker", async () => {
    const { id } = await idleFor(70_000);
    expect(await lookOnce(["somebody else's"])).toEqual([]);
    expect(await asleep(id)).toBeNull();
  });

  it("with work waiting, or in a harness's hands, stay awake", async () => {
    const waiting = await idleFor(70_000);
    await db.send(waiting.id, "hello");
    await db.pool.query("UPDATE sessions SET updated_at = now() - interval '5 minutes' WHERE id = $1", [waiting.id]);
    const taken = await idleFor(70_000);
    await db.pool.query("UPDATE sessions SET lease_expires_at = now() + interval '1 minute' WHERE id = $1", [taken.id]);
    expect(await lookOnce([waiting.ref, taken.ref])).toEqual([]);
  });

  it("are tried again when the engine failed, and keep no other from sleep", async () => {
    const [bad, good] = [await idleFor(90_000), await idleFor(70_000)];
    expect(await lookOnce([bad.ref, good.ref], [bad.ref])).toEqual([`pause ${bad.ref}`, `pause ${good.ref}`]);
    expect([await asleep(bad.id), await asleep(good.id)]).toEqual([null, "paused"]);
    expect(await lookOnce([bad.ref, good.ref])).toEqual([`pause ${bad.ref}`]);
  });
});

describe("a harness that takes up a session", () => {
  const store = () => createSandboxStore(db.pool);

  it("while its sandbox is being paused is told so, and waits until that is done", async () => {
    const { id } = await idleFor(70_000);
    const pausing = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const sleeping = createIdleStore(db.pool).sleep(id, "paused", AFTER.paused, async () => {
      reached.resolve();
      await pausing.promise;
    });
    await reached.promise;
    expect(await store().find(id)).toMatchObject({ asleep: true });
    let awake = false;
    const waking = store()
      .wake(id)
      .then(() => (awake = true));
    await db.pool.query("SELECT pg_sleep(0.2)");
    expect(awake).toBe(false);
    pausing.resolve();
    await Promise.all([sleeping, waking]);
    expect(await store().find(id)).toMatchObject({ asleep: false });
  });

  it("just after that was announced keeps its sandbox awake", async () => {
    const { id } = await idleFor(70_000);
    const client = await db.pool.connect();
    const done: string[] = [];
    try {
      await client.query("BEGIN");
      await client.query("SELECT FROM sandboxes WHERE session_id = $1 FOR KEY SHARE", [id]);
      await client.query("UPDATE sessions SET lease_expires_at = now() + interval '1 minute' WHERE id = $1", [id]);
      expect(await createIdleStore(db.pool).sleep(id, "paused", AFTER.paused, async (ref) => void done.push(ref))).toBe(
        false,
      );
      await client.query("COMMIT");
    } finally {
      client.release();
    }
    expect(done).toEqual([]);
    expect(await store().find(id)).toMatchObject({ asleep: false });
  });
});

it("the row of a deleted session's sandbox is forgotten, and no other", async () => {
  const [gone, kept] = [await idleFor(0), await idleFor(0)];
  await db.prisma.session.delete({ where: { id: gone.id } });
  await createSandboxStore(db.pool).forgetDeleted();
  expect(await createSandboxStore(db.pool).find(gone.id)).toBeNull();
  expect(await createSandboxStore(db.pool).find(kept.id)).not.toBeNull();
});
