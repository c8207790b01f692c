import { afterAll, beforeAll, expect, it } from "vitest";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import { rateAnswer } from "../../../bots/shared/ratings.ts";
import { type DeliveryRig, startDeliveryRig } from "../../support/delivery-rig.ts";
import { SILENT } from "../../support/silent-log.ts";

const { signal } = new AbortController();
let rig: DeliveryRig;
beforeAll(async () => {
  rig = await startDeliveryRig();
});
afterAll(() => rig.close());

async function ratedThread() {
  const { key, sessionId, store } = await rig.openThread();
  const deps = {
    client: rig.client,
    threads: store.threads,
    ratings: createDatabaseChatRecords(rig.database).ratings,
    log: SILENT,
  };
  const rate = (person: string, eventId: string, value: "up" | "down") =>
    rateAnswer(deps, { thread: key, eventId, person, value }, signal);
  const metadata = async () => (await rig.api.client.beta.sessions.retrieve(sessionId)).metadata;
  return { key, sessionId, store, rate, metadata };
}

it("sums what people think of a session's answers, of each person the latest", async () => {
  const { rate, metadata } = await ratedThread();
  expect(await rate("U1", "sevt_1", "up")).toBe(true);
  await rate("U1", "sevt_1", "up");
  await rate("U2", "sevt_1", "up");
  await rate("U2", "sevt_1", "down");
  await rate("U1", "sevt_2", "up");
  expect(await metadata()).toMatchObject({ rating_up: "2", rating_down: "1" });
});

it("sums what many think at the same moment", async () => {
  const { rate, metadata } = await ratedThread();
  const people = Array.from({ length: 12 }, (_, at) => `U${at}`);
  await Promise.all(people.map((person, at) => rate(person, "sevt_1", at % 3 === 0 ? "down" : "up")));
  expect(await metadata()).toMatchObject({ rating_up: "8", rating_down: "4" });
});

it("keeps a rating that the session could not be told of, and tells it with the next one", async () => {
  const { rate, metadata } = await ratedThread();
  rig.network.down();
  expect(await rate("U1", "sevt_1", "up")).toBe(true);
  rig.network.up();
  expect(await metadata()).not.toHaveProperty("rating_up");
  await rate("U2", "sevt_1", "up");
  expect(await metadata()).toMatchObject({ rating_up: "2", rating_down: "0" });
});

it("rates nothing in a thread that has left its session behind", async () => {
  const { key, sessionId, store, rate } = await ratedThread();
  await store.threads.detachSession(key, sessionId);
  expect(await rate("U1", "sevt_1", "up")).toBe(false);
});
