import type pg from "pg";

/** Ends every connection of this database that listens for notifications. */
export async function breakListeners(pool: pg.Pool): Promise<void> {
  await pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'",
  );
}
