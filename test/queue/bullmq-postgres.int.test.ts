import { createPostgresBackend, withBackend } from "bullmq";
import { afterAll, beforeAll, describe } from "vitest";
import { connectQueue } from "../../src/queue/bullmq.ts";
import { queueContract } from "../contracts/queue.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { SILENT } from "../support/silent-log.ts";
import { terminateConnections } from "../support/terminate-connections.ts";

describe("BullMQ on Postgres", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  queueContract(() => ({
    connect: () => connectQueue({ type: "postgres", url: database.url }, SILENT),
    async enqueueRaw(payload) {
      const bull = withBackend(createPostgresBackend);
      const queue = new bull.Queue("run-session", { connection: { connectionString: database.url, migrate: true } });
      await queue.add("run-session", payload);
      await queue.close();
    },
    breakConnections: () => terminateConnections(database.url),
  }));
});
