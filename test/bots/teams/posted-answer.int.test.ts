import { afterAll, beforeAll, expect, it } from "vitest";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { answerPostedAs } from "../../../bots/teams/posted-answer-store.ts";
import { streamRef } from "../../../bots/teams/stream-ref.ts";
import { teamsThreadKey } from "../../../bots/teams/teams-thread.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase(testDatabase.url, () => {});
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

it("an answer is known by the message it was posted as, also one that a process left as a stream", async () => {
  const { threads, deliveries } = createDatabaseChatStore(database);
  const thread = teamsThreadKey("t1", "a:1", null);
  await threads.open(thread);
  for (const [item, ref] of [
    ["answer:sevt_1:0", "100"],
    ["answer:sevt_2:0", streamRef({ id: "200", openedAt: 1 })],
    ["status:sevt_3", "300"],
  ] as const) {
    await deliveries.intend(thread, item);
    await deliveries.settle(thread, item, ref);
  }
  expect(await answerPostedAs(database, thread, "100")).toBe("sevt_1");
  expect(await answerPostedAs(database, thread, "200")).toBe("sevt_2");
  expect(await answerPostedAs(database, thread, "300")).toBeNull();
  expect(await answerPostedAs(database, teamsThreadKey("t1", "a:2", null), "100")).toBeNull();
});
