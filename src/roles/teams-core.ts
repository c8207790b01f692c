import type { TeamsCore } from "../../bots/teams/handlers/handler-deps.ts";
import { answerPostedAs } from "../../bots/teams/posted-answer-store.ts";
import { onePress } from "../../bots/teams/press-store.ts";
import type { Chat } from "../../workers/take-in.ts";
import type { Database } from "../database.ts";
import type { ChatCoreParts } from "./chat-core.ts";
import { listeningCore } from "./listening-core.ts";

export interface TeamsCoreOptions {
  database: Database;
  chat: Chat;
  /** What only Teams itself can tell or keep. */
  own: Pick<TeamsCore, "names" | "keepConsent">;
}

/** What Teams' handlers ask, answered by the chat core. */
export function teamsCore(core: ChatCoreParts, { database, chat, own }: TeamsCoreOptions): TeamsCore {
  return {
    ...listeningCore(core, chat),
    pressId: (messageId) => onePress(database, messageId),
    answerPostedAs: (thread, activityId) => answerPostedAs(database, thread, activityId),
    ...own,
  };
}
