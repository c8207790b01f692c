import { afterEach, describe, expect, it } from "vitest";
import { createBoltLog } from "../../../bots/slack/bolt-log.ts";
import { clientOptions } from "../../../bots/slack/client-options.ts";
import { createEnvWorkspace } from "../../../bots/slack/env-workspace.ts";
import type { ChatCore } from "../../../bots/slack/listeners/listener-deps.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";
import { bodyOf, signatureOf } from "../../fakes/slack/delivery.ts";
import { type FakeSlack, startFakeSlack } from "../../fakes/slack-web-api.ts";
import { SILENT } from "../../support/silent-log.ts";
import { type SlackAppRig, startSlackApp } from "../../support/slack-app-rig.ts";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
});

async function start(mode: "http" | "socket", over: Partial<ChatCore> = {}) {
  const slack =
    mode === "http" ? { retryDelaysMs: [], ackTimeoutMs: 30_000 } : { retryDelaysMs: [0, 0, 0], ackTimeoutMs: 1_000 };
  const fake = await startFakeSlack(slack);
  opened.push(fake);
  const rig = await startSlackApp({ mode, slack: fake, botToken: "xoxb-acme", core: over });
  opened.push({ close: () => rig.stop() });
  fake.deliverTo(mode === "http" ? rig.eventsUrl : "socket");
  return { fake, rig };
}

const options = (fake: FakeSlack) => clientOptions(fake.apiUrl, createBoltLog(SILENT));

describe("events by HTTP", () => {
  const post = (rig: SlackAppRig, headers: Record<string, string>, body: string) =>
    fetch(rig.eventsUrl, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });

  it("are taken from nobody but Slack", async () => {
    const { fake, rig } = await start("http");
    const body = bodyOf("event", { type: "event_callback", event_id: "Ev1", team_id: "T01ACME", event: {} });
    const now = Math.floor(Date.now() / 1000);
    const forged = signatureOf(body, "another secret", now);
    const stale = signatureOf(body, fake.signingSecret, now - 600);
    const moved = signatureOf(`${body} `, fake.signingSecret, now);
    for (const headers of [forged, stale, moved, {}]) expect((await post(rig, headers, body)).status).toBe(401);
    expect((await post(rig, signatureOf(body, fake.signingSecret, now), body)).status).toBe(200);
  });

  it("are refused for now when they can't be kept before Slack stops waiting", async () => {
    const kept = Promise.withResolvers<boolean>();
    const { fake } = await start("http", { accept: () => kept.promise });
    const said = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> hi", mentionWithFiles: "no_mention" });
    await said.done;
    kept.resolve(true);
    expect(said.deliveries[0]?.attempts.map(({ status }) => status)).toEqual([503]);
  });
});

describe("a command", () => {
  const stopped = { type: "notice", level: "info", markdown: "Stopping." } as const;
  const stop = { channel: "C01ENG", user: "U01ALICE", command: "/deckhand", text: "stop" };

  it("is acknowledged when what it asks for is kept, and not before", async () => {
    const begun = Promise.withResolvers<void>();
    const kept = Promise.withResolvers<typeof stopped>();
    const runSlash = () => {
      begun.resolve();
      return kept.promise;
    };
    const { fake } = await start("http", { runSlash });
    const command = fake.command(stop);
    await begun.promise;
    const lost = Promise.race([command.done.then(() => "acknowledged"), fake.say({ ...stop, text: "hi" }).done]);
    expect(await lost).not.toBe("acknowledged");
    kept.resolve(stopped);
    await command.done;
    expect(command.deliveries[0]?.acked).toBe(true);
  });

  it.each([
    ["takes long", () => new Promise<never>(() => undefined)],
    ["fails", () => Promise.reject(new RetryableError("The database is away."))],
  ])("is acknowledged in time when it %s", async (_, runSlash) => {
    const { fake } = await start("http", { runSlash });
    const command = fake.command(stop);
    await command.done;
    expect(command.deliveries[0]?.acked).toBe(true);
  });
});

describe("a port that is taken", () => {
  it("is named with the setting that mends it", async () => {
    const { fake, rig } = await start("http");
    const port = Number(rig.eventsUrl.port);
    const second = startSlackApp({ mode: "http", slack: fake, botToken: "xoxb-acme", port });
    await expect(second).rejects.toThrow("SLACK_PORT");
  });
});

describe("Socket Mode", () => {
  it.each(["drop", "warn"] as const)(
    "comes back when Slack ends the connection (%s), and misses nothing",
    async (how) => {
      const { fake, rig } = await start("socket");
      expect(rig.slack.connected).toBe(true);
      fake.socket[how]();
      const said = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> still there?" });
      await said.done;
      expect((await rig.kept()).map(({ messageId }) => messageId)).toEqual([said.ts]);
      expect(fake.socket.connections()).toBe(1);
    },
  );

  it("starts without Slack, and connects when it is there", async () => {
    const fake = await startFakeSlack();
    opened.push(fake);
    void fake.fail("apps.connections.open", { type: "error", error: "internal_error" }, { times: 3 });
    const rig = await startSlackApp({ mode: "socket", slack: fake, botToken: "xoxb-acme" });
    opened.push({ close: () => rig.stop() });
    await fake.until("the connection", () => fake.socket.connections() === 1);
    expect(fake.callsTo("apps.connections.open")).toHaveLength(4);
  });

  it("says which token is wrong when Slack refuses it", async () => {
    const fake = await startFakeSlack();
    opened.push(fake);
    const slack = { apiUrl: fake.apiUrl, appToken: "xapp-wrong", signingSecret: "" };
    await expect(startSlackApp({ mode: "socket", slack, botToken: "xoxb-acme" })).rejects.toThrow("SLACK_APP_TOKEN");
  });

  it("ends with the app", async () => {
    const { fake, rig } = await start("socket");
    expect(fake.socket.connections()).toBe(1);
    await rig.slack.stop();
    await fake.until("the end of the connection", () => fake.socket.connections() === 0);
  });
});

describe("the workspace of a token", () => {
  it("is asked for once, and is no other's", async () => {
    const { fake } = await start("http");
    const before = fake.callsTo("auth.test").length;
    const workspaces = createEnvWorkspace({ botToken: "xoxb-acme", clientOptions: options(fake) });
    const found = await Promise.all([workspaces.of("T01ACME"), workspaces.identify(), workspaces.of("T01ACME")]);
    expect(found[1]).toMatchObject({ team: "T01ACME", botUserId: "U0BOT", botId: "B0BOT", name: "Acme" });
    expect(fake.callsTo("auth.test")).toHaveLength(before + 1);
    await expect(workspaces.of("T02BETA")).rejects.toThrow(TerminalError);
  });

  it("is the organisation of an org-wide install", async () => {
    const { fake } = await start("http");
    const workspaces = createEnvWorkspace({ botToken: "xoxb-grid", clientOptions: options(fake) });
    expect(await workspaces.of("E01GRID")).toMatchObject({ team: "E01GRID", botUserId: "W0BOTGRID" });
  });

  it("takes in what is said in any workspace of such an organisation", async () => {
    const fake = await startFakeSlack();
    opened.push(fake);
    const rig = await startSlackApp({ mode: "http", slack: fake, botToken: "xoxb-grid" });
    opened.push({ close: () => rig.stop() });
    fake.deliverTo(rig.eventsUrl);
    const said = fake.say({ channel: "C31GRID", user: "W31DANA", text: "<@W0BOTGRID> hello" });
    await said.done;
    expect((await rig.kept()).map(({ thread }) => thread)).toEqual([`slack:E01GRID:C31GRID:${said.ts}`]);
    await fake.command({ channel: "C31GRID", user: "W31DANA", command: "/deckhand", text: "help" }).done;
    await fake.until("the answer", () =>
      fake.messages("C31GRID").some(({ ephemeralFor }) => ephemeralFor === "W31DANA"),
    );
  });

  it("is asked for again after a failure that may pass, and names the token after one that won't", async () => {
    const { fake } = await start("http");
    void fake.fail("auth.test", { type: "error", error: "internal_error" }, { times: 1 });
    const workspaces = createEnvWorkspace({ botToken: "xoxb-acme", clientOptions: options(fake) });
    await expect(workspaces.of("T01ACME")).rejects.toThrow(RetryableError);
    expect(await workspaces.of("T01ACME")).toMatchObject({ team: "T01ACME" });
    const wrong = createEnvWorkspace({ botToken: "xoxb-wrong", clientOptions: options(fake) });
    await expect(wrong.of("T01ACME")).rejects.toThrow("SLACK_BOT_TOKEN");
  });
});
