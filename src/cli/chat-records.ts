import { createDatabaseChatRecords } from "../../bots/shared/chat-records-store.ts";
import type { ChatRecords } from "../../bots/shared/chat-records.ts";
import { loadConfig } from "../config.ts";
import { createLog } from "../log.ts";
import { checkNamedServices } from "../roles/named-services.ts";
import { openDatabase } from "../roles/open-database.ts";
import type { CommandIo } from "./command.ts";

/** Runs `work` on what the bots of this home remember, whether or not they run. */
export async function withChatRecords<Result>(
  io: Pick<CommandIo, "root" | "signal">,
  work: (records: ChatRecords) => Promise<Result>,
): Promise<Result> {
  const config = loadConfig(io.root);
  await checkNamedServices({ ...config, redisUrl: null }, io.signal);
  // A person is looking at this terminal: only what they have to know.
  const log = createLog(config.logLevel === "info" ? "warn" : config.logLevel);
  const { database, close } = await openDatabase(config, log, io.signal);
  try {
    return await work(createDatabaseChatRecords(database));
  } finally {
    await close();
  }
}
