import type pg from "pg";
import { z } from "zod";
import { type SecretCipher, SecretUnreadableError } from "./secret-cipher.ts";

/** A column with what the installation's cipher made. `<table>/<id>/<column>` is what each is bound to. */
interface EncryptedColumn {
  table: string;
  column: string;
}

/** All of them. What credentials hold is under their vault's data key, and needs nothing when the master key changes. */
export const ENCRYPTED_COLUMNS: readonly EncryptedColumn[] = [
  { table: "vaults", column: "data_key" },
  { table: "session_resources", column: "token" },
  { table: "slack_installations", column: "ciphertext" },
  { table: "teams_consents", column: "upload" },
  { table: "gateway_authority", column: "private_key" },
];

export interface KeyUse {
  /** `<table>.<column>`. */
  place: string;
  keyId: string;
  rows: number;
}

export interface Reencrypted {
  /** `<table>.<column>`. */
  place: string;
  /** Rows that are under the current key now. */
  done: number;
  /** Rows of a key that nobody gave, or spoiled. They stay as they are. */
  unreadable: number;
}

export interface EncryptedColumnStore {
  /** Which master keys rows are encrypted with. */
  keyUses(): Promise<KeyUse[]>;
  /**
   * Encrypts again what is not of the cipher's current key, row by row: a row counts only if it is still what was read, so
   * others may write meanwhile, and whoever is interrupted goes on where it was. @throws the signal's reason
   */
  reencrypt(cipher: SecretCipher, signal: AbortSignal): Promise<Reencrypted[]>;
  /** Runs `work` while no other process runs any. @throws Error when one does */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result>;
}

const BATCH = 200;
const LOCK = "deckhand: keys rotate";

const Row = z.object({ id: z.string(), bytes: z.instanceof(Uint8Array) });
const UseRow = z.object({ key_id: z.string(), rows: z.number() });

export function createEncryptedColumnStore(pool: pg.Pool): EncryptedColumnStore {
  return {
    async keyUses() {
      const uses: KeyUse[] = [];
      for (const { table, column } of ENCRYPTED_COLUMNS) {
        const { rows } = await pool.query(
          `SELECT encode(substring(${column} FROM 2 FOR 8), 'hex') AS key_id, count(*)::int AS rows
           FROM ${table} WHERE ${column} IS NOT NULL GROUP BY 1 ORDER BY 1`,
        );
        for (const { key_id: keyId, rows: count } of z.array(UseRow).parse(rows)) {
          uses.push({ place: `${table}.${column}`, keyId, rows: count });
        }
      }
      return uses;
    },

    async reencrypt(cipher, signal) {
      const results: Reencrypted[] = [];
      for (const column of ENCRYPTED_COLUMNS) results.push(await reencryptColumn(pool, cipher, column, signal));
      return results;
    },

    async exclusively(work) {
      const client = await pool.connect();
      const ask = async (call: string) =>
        (await client.query<{ done: boolean }>(`SELECT ${call}(hashtextextended($1, 0)) AS done`, [LOCK])).rows[0]
          ?.done;
      try {
        if (!(await ask("pg_try_advisory_lock"))) {
          throw new Error("Another process is replacing the keys right now. Wait until it has ended.");
        }
        try {
          return await work();
        } finally {
          // The server notices only later that a connection has ended, and who asks next would be turned away.
          await ask("pg_advisory_unlock").catch(() => undefined);
        }
      } finally {
        // Whatever the connection still holds ends with it.
        client.release(true);
      }
    },
  };
}

async function reencryptColumn(
  pool: pg.Pool,
  cipher: SecretCipher,
  { table, column }: EncryptedColumn,
  signal: AbortSignal,
): Promise<Reencrypted> {
  const result = { place: `${table}.${column}`, done: 0, unreadable: 0 };
  let after = "";
  for (;;) {
    const found = await pool.query(
      `SELECT id::text AS id, ${column} AS bytes FROM ${table}
       WHERE ${column} IS NOT NULL AND id::text > $1 ORDER BY id::text LIMIT ${BATCH}`,
      [after],
    );
    const rows = z.array(Row).parse(found.rows);
    for (const row of rows) {
      signal.throwIfAborted();
      if (await cipher.isCurrent(row.bytes)) continue;
      const fresh = await tryReencrypt(cipher, row.bytes, `${table}/${row.id}/${column}`);
      if (fresh === null) {
        result.unreadable += 1;
        continue;
      }
      const { rowCount } = await pool.query(
        `UPDATE ${table} SET ${column} = $2 WHERE id::text = $1 AND ${column} = $3`,
        [row.id, fresh, row.bytes],
      );
      result.done += rowCount ?? 0;
    }
    if (rows.length < BATCH) return result;
    after = rows.at(-1)?.id ?? "";
  }
}

/** Null when it can't be read. */
async function tryReencrypt(cipher: SecretCipher, bytes: Uint8Array, context: string) {
  let plaintext: Uint8Array;
  try {
    plaintext = await cipher.decrypt(bytes, context);
  } catch (error) {
    if (error instanceof SecretUnreadableError) return null;
    throw error;
  }
  return cipher.encrypt(plaintext, context);
}
