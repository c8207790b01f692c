import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LeaseLostError } from "../../src/errors.ts";
import { terminateSession } from "../../src/sessions/terminate.ts";
import { agentMessage, plain } from "../support/events.ts";
import { openSessionDatabase, type SessionDatabase, WORKSPACE } from "../support/session-database.ts";

describe("terminating a session", () => {
  let db: SessionDatabase;
  beforeAll(async () => {
    db = await openSessionDatabase();
  });
  afterAll(() => db.close());

  const terminate = (sessionId: string, workspaceId = WORKSPACE) =>
    terminateSession(db.pool, db.wakeups, { workspaceId, sessionId }, [plain("session.status_terminated")]);

  it("appends its last events and takes no more", async () => {
    const id = await db.newSession();
    expect(await terminate(id)).toBe(true);
    expect((await db.events(id)).map(({ type }) => type)).toEqual(["session.status_terminated"]);
    await expect(db.send(id, "hello?")).rejects.toMatchObject({ code: "invalid_request" });
    expect(await terminate(id)).toBe(false);
  });

  it("does nothing to a session with work, another workspace's, or none", async () => {
    const running = await db.newSession({ status: "running" });
    const waiting = await db.newSession();
    await db.send(waiting, "work");
    for (const id of [running, waiting, "sesn_none"]) expect(await terminate(id)).toBe(false);
    expect(await terminate(await db.newSession(), "wrkspc_other")).toBe(false);
  });

  it("shuts out a harness that holds the lease", async () => {
    const id = await db.newSession({ status: "running" });
    const lease = await db.leases.acquire(id, "a");
    if (!lease) throw new Error("no lease");
    await db.prisma.session.update({ where: { id }, data: { status: "idle" } });
    expect(await terminate(id)).toBe(true);
    const late = db.log.append({ fence: lease.fence, events: [{ event: agentMessage("late") }], state: null });
    await expect(late).rejects.toThrow(LeaseLostError);
    expect((await db.events(id)).at(-1)?.type).toBe("session.status_terminated");
  });

  it("and a message that arrives at once: either it is refused, or the session lives on with it", async () => {
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const id = await db.newSession();
      const send = () =>
        db.send(id, "now!").then(
          () => true,
          () => false,
        );
      const first = round % 2 === 0 ? send() : null;
      const ending = terminate(id);
      const [sent, terminated] = await Promise.all([first ?? send(), ending]);
      expect(sent).toBe(!terminated);
      expect(await db.log.inbox(id)).toHaveLength(sent ? 1 : 0);
      if (!sent) refused += 1;
    }
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(300);
  });
});
