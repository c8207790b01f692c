import { createPostgresBackend, withBackend } from "bullmq";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectQueue } from "../../src/queue/bullmq.ts";
import { localFirst } from "../../src/queue/local-first.ts";
import { queueContract } from "../contracts/queue.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { SILENT } from "../support/silent-log.ts";
import { terminateConnections } from "../support/terminate-connections.ts";

describe("a queue that serves its own process first", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  const connect = async () => localFirst(await connectQueue({ type: "postgres", url: database.url }, SILENT), SILENT);

  queueContract(() => ({
    connect,
    async enqueueRaw(payload) {
      const bull = withBackend(createPostgresBackend);
      const queue = new bull.Queue("run-session", { connection: { connectionString: database.url, migrate: true } });
      await queue.add("run-session", payload);
      await queue.close();
    },
    breakConnections: () => terminateConnections(database.url),
  }));

  it("hands a job to its own worker without the backend, and what finds no room there to another process", async () => {
    const [here, there] = [await connect(), await connect()];
    const handled: string[] = [];
    const free = Promise.withResolvers<void>();
    const firstIsRunning = Promise.withResolvers<void>();
    await here.work(
      "run-session",
      async ({ session_id }) => {
        handled.push(`here ${session_id}`);
        firstIsRunning.resolve();
        await free.promise;
      },
      { concurrency: 1 },
    );
    await here.enqueue("run-session", { session_id: "sesn_1" });
    // Handed over before the promise resolved: nothing was sent anywhere.
    expect(handled).toEqual(["here sesn_1"]);
    await firstIsRunning.promise;
    const taken = Promise.withResolvers<string>();
    await there.work("run-session", async ({ session_id }) => taken.resolve(session_id), { concurrency: 1 });
    // One more fills the worker that takes from the backend here, so that the next has to go there.
    for (const id of ["sesn_2", "sesn_3"]) await here.enqueue("run-session", { session_id: id });
    expect(["sesn_2", "sesn_3"]).toContain(await taken.promise);
    free.resolve();
    await Promise.all([here.close(), there.close()]);
  });
});
