import { createDatabaseChatRecords } from "../../bots/shared/chat-records-store.ts";
import type { ChatRecords } from "../../bots/shared/chat-records.ts";
import type { CommandIo } from "./command.ts";
import { withDatabase } from "./with-database.ts";

/** Runs `work` on what the bots of this home remember, whether or not they run. */
export const withChatRecords = <Result>(
  io: Pick<CommandIo, "root" | "signal">,
  work: (records: ChatRecords) => Promise<Result>,
): Promise<Result> => withDatabase(io, (database) => work(createDatabaseChatRecords(database)));
