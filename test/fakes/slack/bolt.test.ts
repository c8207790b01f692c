import { afterEach, describe, expect, it } from "vitest";
import { type BoltApp, startBoltApp } from "../../support/bolt-app.ts";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";

let fake: FakeSlack;
let app: BoltApp;
afterEach(async () => {
  await app.stop();
  await fake.close();
});

describe.each(["http", "socket"] as const)("the real Bolt over %s", (transport) => {
  it("hears a mention, answers in its thread, takes a press, opens a modal and gets its words", async () => {
    fake = await startFakeSlack();
    app = await startBoltApp(fake, transport);
    fake.deliverTo(app.requestUrl ?? "socket");

    const { ts, done } = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> hello" });
    await done;
    const answer = await fake.until("the answer", () => fake.thread("C01ENG", ts).find(({ botId }) => botId !== null));
    await fake.press({ channel: "C01ENG", ts: answer.ts, user: "U02BOB", actionId: "ask" }).done;
    const view = await fake.until("the modal", () => [...fake.world.views.values()][0]);
    await fake.submitView(view.id, { said: { words: { type: "plain_text_input", value: "please" } } }).done;
    const command = fake.command({ channel: "C01ENG", user: "U02BOB", command: "/agent", text: "help" });
    await command.done;

    const expected = [`app_mention ${ts}`, `message ${ts}`, "press ask", "submit please", "command help"];
    await fake.until("all of it", () => app.seen.length >= expected.length);
    expect(app.seen.toSorted()).toEqual(expected.toSorted());
    expect(JSON.stringify(command.deliveries[0]?.attempts)).toContain("At your service.");
    expect(fake.violations).toEqual([]);
  });
});
