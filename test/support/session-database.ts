import { createDatabase } from "../../src/database.ts";
import { newId } from "../../src/ids.ts";
import type { SessionAgent } from "../../src/schemas/agent.ts";
import type { SessionStatus } from "../../src/schemas/session.ts";
import { createEventLog } from "../../src/sessions/event-log.ts";
import { createLeases } from "../../src/sessions/lease.ts";
import { INITIAL_STATE } from "../../src/sessions/transition.ts";
import { connectPostgresWakeups } from "../../src/sessions/wakeups-postgres.ts";
import { createTestDatabase } from "./database.ts";
import { SILENT } from "./silent-log.ts";
import { testAgent } from "./test-agent.ts";

export const WORKSPACE = "wrkspc_test";

export interface SessionDatabaseOptions {
  leaseMs?: number;
}

/** The event log and the leases over a real, empty database. */
export async function openSessionDatabase({ leaseMs = 2_000 }: SessionDatabaseOptions = {}) {
  const testDatabase = await createTestDatabase();
  const database = createDatabase(testDatabase.url, () => undefined);
  const { pool, prisma } = database;
  const wakeups = await connectPostgresWakeups(testDatabase.url, SILENT);
  const log = createEventLog(pool, wakeups);
  const leases = createLeases(pool, leaseMs);

  return {
    url: testDatabase.url,
    pool,
    prisma,
    wakeups,
    log,
    leases,
    leaseMs,
    async newSession({ status = "idle", agent = {} }: { status?: SessionStatus; agent?: Partial<SessionAgent> } = {}) {
      const id = newId("sesn");
      await prisma.session.create({
        data: {
          id,
          workspaceId: WORKSPACE,
          agentId: "agent_test",
          agentVersion: 1,
          agent: JSON.parse(JSON.stringify(testAgent(agent))),
          environmentId: "env_test",
          threadId: newId("sthr"),
          metadata: {},
          usage: INITIAL_STATE.usage,
          status,
        },
      });
      return id;
    },
    /** Puts messages into the inbox; `null` is an interrupt. */
    send: (sessionId: string, ...texts: (string | null)[]) =>
      log.enqueue(
        WORKSPACE,
        sessionId,
        texts.map((text) =>
          text === null
            ? { type: "user.interrupt" as const }
            : { type: "user.message" as const, content: [{ type: "text" as const, text }] },
        ),
      ),
    /** The whole log. */
    events: async (sessionId: string) => (await log.read(sessionId, 0, 100_000)).map(({ event }) => event),
    row: (sessionId: string) => prisma.session.findUniqueOrThrow({ where: { id: sessionId } }),
    /** As if the holder had died and its time were over. */
    expireLease: (sessionId: string) =>
      prisma.session.update({ where: { id: sessionId }, data: { leaseExpiresAt: new Date(0) } }),
    async close() {
      await wakeups.close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

export type SessionDatabase = Awaited<ReturnType<typeof openSessionDatabase>>;
