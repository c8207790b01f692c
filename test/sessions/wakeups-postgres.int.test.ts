import { afterAll, beforeAll, describe } from "vitest";
import { createDatabase, type Database } from "../../src/database.ts";
import { connectPostgresWakeups } from "../../src/sessions/wakeups-postgres.ts";
import { wakeupsContract } from "../contracts/wakeups.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { breakListeners } from "../support/break-listeners.ts";
import { SILENT } from "../support/silent-log.ts";

describe("wake-ups by LISTEN and NOTIFY", () => {
  let testDatabase: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = createDatabase(testDatabase.url, () => undefined);
  });
  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  wakeupsContract(() => ({
    connect: () => connectPostgresWakeups(testDatabase.url, SILENT),
    breakConnections: () => breakListeners(database.pool),
  }));
});
