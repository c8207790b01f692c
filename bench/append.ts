import path from "node:path";
import type pg from "pg";
import { createDatabase, type Database } from "../src/database.ts";
import { migrateDeploy } from "../src/embedded/migrate.ts";
import { startPostgres } from "../src/embedded/postgres.ts";
import { newId } from "../src/ids.ts";
import { createLog, type Logger } from "../src/log.ts";
import type { SessionEvent } from "../src/schemas/event.ts";
import { createEventLog } from "../src/sessions/event-log.ts";
import { INITIAL_STATE } from "../src/sessions/transition.ts";
import { connectPostgresWakeups } from "../src/sessions/wakeups-postgres.ts";
import { atLeast, type Bench, type Figure } from "./figure.ts";
import { p50 } from "./percentiles.ts";

const ROUNDS = 7;
const WARM_UP_ROUNDS = 2;
const EVENTS_PER_ROUND = 1_600;
const RATIO_MIN = 0.8;
const WORKSPACE_ID = "wrkspc_bench";
const TEXT_CHARS = 200;

const RAW_INSERT = `INSERT INTO events (session_id, seq, id, thread_id, type, payload, private, processed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

/** Commits one event. */
type Write = (event: SessionEvent) => Promise<unknown>;

/**
 * Events per second through the event log, one event an append, against the same row inserted by a bare named statement
 * of `pg` over the same pool. Rounds of both alternate, so that a noisy neighbour hits both; the median round counts.
 */
export async function measureAppend(bench: Bench): Promise<Figure[]> {
  const log = createLog("error");
  const postgres = await startPostgres({ dir: path.join(bench.dir, "postgres"), log, signal: bench.signal });
  bench.teardown.add(() => postgres.stop());
  await migrateDeploy(postgres.url, log, bench.signal);
  const database = createDatabase(postgres.url, (error) => log.warn({ error: error.message }, "connection failed"));
  bench.teardown.add(() => database.close());
  await database.pool.query("INSERT INTO workspaces (id, name) VALUES ($1, 'bench')", [WORKSPACE_ID]);
  return [
    ...(await compare(bench, database, postgres.url, log, 1)),
    ...(await compare(bench, database, postgres.url, log, 16)),
  ];
}

async function compare(bench: Bench, database: Database, url: string, log: Logger, writers: number): Promise<Figure[]> {
  bench.say(`${writers} writers, ${ROUNDS} rounds of ${EVENTS_PER_ROUND} events each way`);
  const wakeups = await connectPostgresWakeups(url, log);
  const eventLog = createEventLog(database.pool, wakeups);
  const ours = await Promise.all(Array.from({ length: writers }, () => logWriter(database.pool, eventLog)));
  const raw = await Promise.all(Array.from({ length: writers }, () => rawWriter(database.pool)));
  const rates: { ours: number[]; raw: number[] } = { ours: [], raw: [] };
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    bench.signal.throwIfAborted();
    const rawRate = await rateOf(raw);
    const ourRate = await rateOf(ours);
    if (round < WARM_UP_ROUNDS) continue;
    rates.raw.push(rawRate);
    rates.ours.push(ourRate);
  }
  await wakeups.close();
  const [value, floor] = [p50(rates.ours), p50(rates.raw)];
  const name = `append.${writers}_${writers === 1 ? "writer" : "writers"}`;
  const note = `one event a commit, fsync on; floor: bare insert; median of ${ROUNDS} rounds of ${EVENTS_PER_ROUND}`;
  return [{ name, value, unit: "events/s", floor, ratio: value / floor, target: atLeast(RATIO_MIN, "ratio"), note }];
}

async function rateOf(writers: readonly Write[]): Promise<number> {
  const each = EVENTS_PER_ROUND / writers.length;
  const startedAt = performance.now();
  await Promise.all(
    writers.map(async (write) => {
      for (let written = 0; written < each; written++) await write(newEvent());
    }),
  );
  return EVENTS_PER_ROUND / ((performance.now() - startedAt) / 1000);
}

async function logWriter(pool: pg.Pool, eventLog: ReturnType<typeof createEventLog>): Promise<Write> {
  const { sessionId } = await insertSession(pool);
  const fence = { sessionId, epoch: 0 };
  // As for most events of a turn, the session's state stays as it was.
  return (event) => eventLog.append({ fence, events: [{ event }], state: null });
}

async function rawWriter(pool: pg.Pool): Promise<Write> {
  const { sessionId, threadId } = await insertSession(pool);
  let seq = 0;
  return (event) => {
    seq += 1;
    const values = [sessionId, seq, event.id, threadId, event.type, JSON.stringify(event), null, event.processed_at];
    return pool.query({ name: "raw_insert", text: RAW_INSERT, values });
  };
}

async function insertSession(pool: pg.Pool): Promise<{ sessionId: string; threadId: string }> {
  const [sessionId, threadId] = [newId("sesn"), newId("sthr")];
  await pool.query(
    `INSERT INTO sessions (id, workspace_id, agent_id, agent_version, agent, environment_id, thread_id, metadata, usage)
     VALUES ($1, $2, 'agent_bench', 1, '{}', 'env_bench', $3, '{}', $4)`,
    [sessionId, WORKSPACE_ID, threadId, JSON.stringify(INITIAL_STATE.usage)],
  );
  return { sessionId, threadId };
}

function newEvent(): SessionEvent {
  return {
    id: newId("sevt"),
    type: "agent.message",
    processed_at: new Date().toISOString(),
    content: [{ type: "text", text: "x".repeat(TEXT_CHARS) }],
  };
}
