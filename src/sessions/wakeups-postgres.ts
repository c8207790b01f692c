import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { WakeupListeners } from "./wakeup-listeners.ts";
import type { Wakeup, Wakeups } from "./wakeups.ts";

const CHANNEL = "deckhand_wakeups";
const RECONNECT_DELAY_MS = 500;
/** Between two sends, so that a burst of appends is one notification and not a hundred. The first goes at once. */
const SEND_INTERVAL_MS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
/** Postgres refuses a notification of 8,000 bytes; a preview is dropped before that, a bare wake-up never gets near. */
const PAYLOAD_BYTES_MAX = 7_900;

/**
 * Wake-ups by LISTEN/NOTIFY on one channel for all sessions.
 *
 * A NOTIFY inside the appending transaction would make all appends queue for one lock at commit, so wake-ups are sent
 * after it, merged while a send is under way, over the connection that listens. Listeners in the same process are called
 * at once.
 */
export async function connectPostgresWakeups(url: string, log: Logger): Promise<Wakeups> {
  const origin = randomUUID();
  const listeners = new WakeupListeners();
  const closing = new AbortController();
  const outbox: Wakeup[] = [];
  let sending: Promise<void> | null = null;
  let reconnecting: Promise<void> | null = null;
  let client = await listen();

  function receive(payload: string) {
    const { from, ...wakeup } = JSON.parse(payload) as Wakeup & { from: string };
    if (from !== origin) listeners.wake(wakeup);
  }

  async function listen(): Promise<pg.Client> {
    const connection = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      // A wake-up may be lost: no append should share the disk with its commit.
      options: "-c synchronous_commit=off",
    });
    connection.on("notification", (message) => receive(message.payload ?? ""));
    connection.on("error", (error) => log.warn({ error: messageOf(error) }, "wakeup connection failed"));
    await connection.connect();
    await connection.query(`LISTEN ${CHANNEL}`);
    connection.once("end", () => {
      if (!closing.signal.aborted) reconnecting = reconnect(); // Retries until closed; each failure is logged.
    });
    return connection;
  }

  async function reconnect() {
    while (!closing.signal.aborted) {
      try {
        client = await listen();
        listeners.wakeAll();
        return;
      } catch (error) {
        log.warn({ error: messageOf(error) }, "wakeup connection failed");
        await delay(RECONNECT_DELAY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  async function send() {
    while (outbox.length > 0) {
      // Wake-ups that say the same are one; previews never do, because their frames are numbered.
      const payloads = new Set(outbox.splice(0).map((wakeup) => JSON.stringify({ ...wakeup, from: origin })));
      const sendable = [...payloads].filter((payload) => Buffer.byteLength(payload) < PAYLOAD_BYTES_MAX);
      try {
        await client.query({
          name: "wakeups",
          text: `SELECT pg_notify('${CHANNEL}', payload) FROM unnest($1::text[]) WITH ORDINALITY AS o(payload, n) ORDER BY n`,
          values: [sendable],
        });
      } catch (error) {
        log.warn({ error: messageOf(error) }, "wakeup not sent");
      }
      await delay(SEND_INTERVAL_MS);
    }
    sending = null;
  }

  return {
    publish(wakeup) {
      listeners.wake(wakeup);
      outbox.push(wakeup);
      sending ??= send();
    },
    async subscribe(sessionId, listener) {
      return listeners.add(sessionId, listener);
    },
    async close() {
      closing.abort();
      listeners.clear();
      await Promise.all([sending, reconnecting]);
      await client.end();
    },
  };
}
