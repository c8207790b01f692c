import { once } from "node:events";
import { afterEach, beforeEach, expect, it } from "vitest";
import { slackClient, slackErrorOf } from "../../support/slack-client.ts";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";

let fake: FakeSlack;
beforeEach(async () => {
  fake = await startFakeSlack({ deliverTo: "socket", events: ["message.channels"] });
});
afterEach(() => fake.close());

const HELLO = { channel: "C01ENG", user: "U01ALICE", text: "hello" };

it("an app-level token alone opens a connection, and its URL is good for one", async () => {
  expect(await slackErrorOf(slackClient(fake).apps.connections.open())).toBe("invalid_auth");
  const { url = "" } = await slackClient(fake, fake.appToken).apps.connections.open();
  const socket = new WebSocket(url);
  await once(socket, "open");
  const second = new WebSocket(url);
  await once(second, "error");
  expect(fake.socket.connections()).toBe(1);
});

it("an envelope that was not acknowledged when its connection broke comes again on the next one", async () => {
  const first = await connect();
  const said = fake.say(HELLO);
  expect(await first.next("events_api")).toMatchObject({ retry_attempt: 0, payload: { event: { ts: said.ts } } });
  fake.socket.drop();
  const second = await connect();
  const again = await second.next("events_api");
  expect(again).toMatchObject({ retry_attempt: 1, payload: { event: { ts: said.ts } } });
  second.socket.send(JSON.stringify({ envelope_id: again["envelope_id"] }));
  await said.done;
  expect(said.deliveries).toMatchObject([{ acked: true }]);
});

it("an event that finds no connection waits for one", async () => {
  const said = fake.say(HELLO);
  const { socket, next } = await connect();
  socket.send(JSON.stringify({ envelope_id: (await next("events_api"))["envelope_id"] }));
  await said.done;
  expect(said.deliveries).toMatchObject([{ acked: true }]);
});

it("the app is warned before a connection is closed", async () => {
  const { next } = await connect();
  fake.socket.warn();
  expect(await next("disconnect")).toMatchObject({ reason: "warning" });
});

async function connect() {
  const { url = "" } = await slackClient(fake, fake.appToken).apps.connections.open();
  const socket = new WebSocket(url);
  const received: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    received.push(JSON.parse(String(data)));
    for (const wake of waiting.splice(0)) wake();
  });
  const next = async (type: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const index = received.findIndex((each) => each["type"] === type);
      const [found] = index === -1 ? [] : received.splice(index, 1);
      if (found) return found;
      await new Promise<void>((resolve) => void waiting.push(resolve));
    }
  };
  await next("hello");
  return { socket, next };
}
