import { type Config, loadConfig } from "../config.ts";
import type { Database } from "../database.ts";
import { createLog } from "../log.ts";
import { checkNamedServices } from "../roles/named-services.ts";
import { openDatabase } from "../roles/open-database.ts";
import type { CommandIo } from "./command.ts";

/** Runs `work` on the database of this home, whether or not a server runs. */
export async function withDatabase<Result>(
  io: Pick<CommandIo, "root" | "signal">,
  work: (database: Database, config: Config) => Promise<Result>,
): Promise<Result> {
  const config = loadConfig(io.root);
  await checkNamedServices({ ...config, redisUrl: null }, io.signal);
  // A person is looking at this terminal: only what they have to know.
  const log = createLog(config.logLevel === "info" ? "warn" : config.logLevel);
  const { database, close } = await openDatabase(config, log, io.signal);
  try {
    return await work(database, config);
  } finally {
    await close();
  }
}
