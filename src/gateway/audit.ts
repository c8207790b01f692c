import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { GatewayRequestRow, GatewayRequestStore } from "./gateway-request-store.ts";

export interface Audit {
  /** Resolves when the row is committed, or could not be and was logged: a denial is one all the same. Never rejects. */
  deny(row: GatewayRequestRow): Promise<void>;
  /** Written together with others, soon. What can't be written is logged. */
  allow(row: GatewayRequestRow): void;
  /** Resolves when everything so far is written. */
  flush(): Promise<void>;
}

const ALLOWED_EVERY_MS = 150;
/** A denial that can't be written by then is answered without its row. */
const DENIED_WITHIN_MS = 5_000;
const BATCH_ROWS_MAX = 500;
const WAITING_ROWS_MAX = 20_000;

export function createAudit(store: Pick<GatewayRequestStore, "insert">, log: Logger): Audit {
  // Each writes one batch at a time, so that no sandbox takes more than two of the process's connections.
  const denied = new RowWriter(store, log, 0);
  const allowed = new RowWriter(store, log, ALLOWED_EVERY_MS);
  return {
    async deny(row) {
      log.warn({ ...pick(row), rule: row.rule, status: row.status }, "request of a sandbox denied");
      await Promise.race([denied.write(row), delay(DENIED_WITHIN_MS, undefined, { ref: false })]);
    },
    allow(row) {
      void allowed.write(row); // never rejects
    },
    async flush() {
      await Promise.all([denied.flush(), allowed.flush()]);
    },
  };
}

const pick = ({ workspaceId, sessionId, method, scheme, host, port, path }: GatewayRequestRow) => ({
  workspaceId,
  sessionId,
  method,
  scheme,
  host,
  port,
  path,
});

class RowWriter {
  readonly #store: Pick<GatewayRequestStore, "insert">;
  readonly #log: Logger;
  readonly #everyMs: number;
  #waiting: { row: GatewayRequestRow; since: number; done: () => void }[] = [];
  #writing: Promise<void> | null = null;
  #hurry = new AbortController();

  constructor(store: Pick<GatewayRequestStore, "insert">, log: Logger, everyMs: number) {
    this.#store = store;
    this.#log = log;
    this.#everyMs = everyMs;
  }

  /** Resolves when the row is written or logged. */
  write(row: GatewayRequestRow): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#waiting.length >= WAITING_ROWS_MAX) {
      this.#log.error(pick(row), "request of a sandbox not recorded: too many are waiting");
      return Promise.resolve();
    }
    this.#waiting.push({ row, since: performance.now(), done: resolve });
    this.#writing ??= this.#writeAll();
    return promise;
  }

  async flush(): Promise<void> {
    this.#hurry.abort();
    await this.#writing;
    this.#hurry = new AbortController();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#everyMs > 0)
        await delay(this.#everyMs, undefined, { signal: this.#hurry.signal }).catch(() => undefined);
      const batch = this.#waiting.splice(0, BATCH_ROWS_MAX);
      const now = performance.now();
      const rows = batch.map(({ row, since }) => ({ ...row, ageMs: row.ageMs + now - since }));
      try {
        await this.#store.insert(rows);
      } catch (error) {
        for (const row of rows) {
          this.#log.error(
            { ...pick(row), decision: row.decision, error: messageOf(error) },
            "request of a sandbox not recorded",
          );
        }
      }
      for (const { done } of batch) done();
    }
    this.#writing = null;
  }
}
