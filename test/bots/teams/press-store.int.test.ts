import { afterAll, beforeAll, expect, it } from "vitest";
import { onePress } from "../../../bots/teams/press-store.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let test: TestDatabase;
let database: Database;
beforeAll(async () => {
  test = await createTestDatabase();
  database = createDatabase(test.url, () => undefined);
});
afterAll(async () => {
  await database.close();
  await test.drop();
});

const firstCameAgo = (id: string, ms: number) => {
  const receivedAt = new Date(Date.now() - ms);
  return database.prisma.chatReceipt.upsert({ where: { id }, create: { id, receivedAt }, update: { receivedAt } });
};

it("gives all deliveries of a press one id, at once or a minute later, and other presses other ids", async () => {
  expect(new Set(await Promise.all([1, 2, 3, 4].map(() => onePress(database, "press:a")))).size).toBe(1);
  expect(await onePress(database, "press:b")).not.toBe(await onePress(database, "press:a"));
  const { receivedAt } = await firstCameAgo("press:a", 61_000);
  for (const _ of [1, 2]) expect(await onePress(database, "press:a")).toBe(`press:a:${receivedAt.getTime()}`);
});

it("gives a later press of the same button an id of its own, which all its deliveries have", async () => {
  const { receivedAt } = await firstCameAgo("press:c", 90_000);
  const ids = await Promise.all([1, 2, 3, 4].map(() => onePress(database, "press:c")));
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).not.toBe(`press:c:${receivedAt.getTime()}`);
});
