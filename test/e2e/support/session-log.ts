import path from "node:path";
import pg from "pg";
import { expect } from "vitest";
import { pollUntil } from "../../../src/embedded/poll.ts";
import { findPostmaster } from "../../../src/embedded/postmaster-file.ts";
import { postgresUrl } from "../../../src/embedded/postgres-server.ts";
import { SessionEvent } from "../../../src/schemas/event.ts";
import { INITIAL_STATE, transition } from "../../../src/sessions/transition.ts";

const READ_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 20_000;
const IDLE_TIMEOUT_MS = 60_000;
const NEVER = new AbortController().signal;

export interface LogEntry {
  seq: number;
  event: SessionEvent;
}

/** The embedded database of a home, looked at from outside. */
export interface Database {
  /** Of the server's main process. */
  pid(): Promise<number>;
  /** Where clients connect. */
  url(): Promise<string>;
  log(sessionId: string): Promise<LogEntry[]>;
  /** A change that would take a test too long to wait for, such as of a time. */
  execute(sql: string, ...parameters: string[]): Promise<void>;
  /** Waits until the session has come to its `count`-th idle. */
  idle(sessionId: string, count: number): Promise<void>;
  /** Resolves once it answers, which takes a moment after it was killed. */
  answers(): Promise<void>;
  /** How often the session was taken up. */
  leaseEpoch(sessionId: string): Promise<number>;
}

export function databaseOf(home: string): Database {
  const postmaster = async () => {
    const dataDir = path.join(home, "postgres/data");
    const found = await findPostmaster(dataDir, AbortSignal.timeout(READ_TIMEOUT_MS));
    if (!found) throw new Error(`No Postgres runs on ${dataDir}.`);
    return found;
  };
  const url = async () => postgresUrl((await postmaster()).socketDir, "deckhand");
  const query = async <Row extends pg.QueryResultRow>(sql: string, ...parameters: string[]): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: await url() });
    await client.connect();
    try {
      return (await client.query<Row>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  };
  const log = async (sessionId: string) => {
    const sql = "SELECT seq, payload FROM events WHERE session_id = $1 ORDER BY seq";
    const rows = await query<{ seq: number; payload: unknown }>(sql, sessionId);
    return rows.map(({ seq, payload }) => ({ seq, event: SessionEvent.parse(payload) }));
  };
  return {
    log,
    url,
    execute: async (sql, ...parameters) => void (await query(sql, ...parameters)),
    async idle(sessionId, count) {
      const reached = async () => {
        const idles = (await log(sessionId)).filter(({ event }) => event.type === "session.status_idle");
        return idles.length >= count || undefined;
      };
      await pollUntil(`session ${sessionId} to be idle`, reached, { timeoutMs: IDLE_TIMEOUT_MS, signal: NEVER });
    },
    pid: async () => (await postmaster()).pid,
    async answers() {
      const probe = () =>
        query("SELECT $1", "").then(
          () => true,
          () => undefined,
        );
      await pollUntil("Postgres to answer", probe, { timeoutMs: ANSWER_TIMEOUT_MS, signal: NEVER });
    },
    async leaseEpoch(sessionId) {
      const rows = await query<{ lease_epoch: number }>("SELECT lease_epoch FROM sessions WHERE id = $1", sessionId);
      return rows[0]?.lease_epoch ?? 0;
    },
  };
}

/**
 * What is true of every log, whoever died on the way: no gap and no duplicate, an order that the session's rules allow,
 * one result for each tool call, one end for each model request, and at the end an idle session whose turn came to its
 * own end.
 */
export function expectWhole(log: readonly LogEntry[]): void {
  const events = log.map(({ event }) => event);
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, at) => at + 1));
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  const { status } = events.reduce(transition, INITIAL_STATE);
  expect(status).toBe("idle");
  expect(events.at(-1)).toMatchObject({ type: "session.status_idle", stop_reason: { type: "end_turn" } });
  expectAnswered(events, idsOf(events, "agent.tool_use"), (event) =>
    event.type === "agent.tool_result" ? event.tool_use_id : null,
  );
  expectAnswered(events, idsOf(events, "span.model_request_start"), (event) =>
    event.type === "span.model_request_end" ? event.model_request_start_id : null,
  );
}

/** Each of `ids` is answered exactly once, and after it was there. */
function expectAnswered(
  events: readonly SessionEvent[],
  ids: readonly string[],
  answeredBy: (event: SessionEvent) => string | null,
): void {
  const answers = events.flatMap((event, at) => {
    const id = answeredBy(event);
    return id === null ? [] : [{ id, at }];
  });
  expect(answers.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  for (const { id, at } of answers) expect(at).toBeGreaterThan(events.findIndex((event) => event.id === id));
}

function idsOf(events: readonly SessionEvent[], type: SessionEvent["type"]): string[] {
  return events.flatMap((event) => (event.type === type ? [event.id] : []));
}

/** The text of each tool result, in order. */
export function resultsIn(log: readonly LogEntry[]): string[] {
  return log.flatMap(({ event }) => {
    if (event.type !== "agent.tool_result") return [];
    return [event.content.map((block) => (block.type === "text" ? block.text : `[${block.type}]`)).join("\n")];
  });
}
