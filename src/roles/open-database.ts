import path from "node:path";
import type { Config } from "../config.ts";
import { createDatabase, type Database } from "../database.ts";
import { migrateDeploy } from "../embedded/migrate.ts";
import { startPostgres } from "../embedded/postgres.ts";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { Teardown } from "../teardown.ts";

/**
 * The database that the configuration names, or the embedded one of this home, which other processes may be using; with
 * every migration applied. Undoes all of it when a part fails.
 */
export async function openDatabase(
  config: Pick<Config, "databaseUrl" | "home">,
  log: Logger,
  signal: AbortSignal,
): Promise<{ database: Database; close(): Promise<void> }> {
  const opened = new Teardown();
  try {
    const url = config.databaseUrl ?? (await embeddedPostgres(config.home, log, signal, opened));
    await migrateDeploy(url, log, signal);
    const database = createDatabase(url, (error) =>
      log.warn({ error: messageOf(error) }, "database connection failed"),
    );
    opened.add(() => database.close());
    return { database, close: () => opened.run() };
  } catch (error) {
    await opened.run();
    throw error;
  }
}

async function embeddedPostgres(home: string, log: Logger, signal: AbortSignal, opened: Teardown): Promise<string> {
  const postgres = await startPostgres({ dir: path.join(home, "postgres"), log, signal });
  opened.add(() => postgres.stop());
  return postgres.url;
}
