import { createPostgresBackend, withBackend } from "bullmq";
import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { connectQueue } from "../../src/queue/bullmq.ts";
import { queueContract } from "../contracts/queue.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { SILENT } from "../support/silent-log.ts";

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
    async breakConnections() {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
      await client.end();
    },
  }));
});
