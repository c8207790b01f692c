import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { AllowedTeams } from "../../../bots/slack/allowed-teams.ts";
import { createBoltLog } from "../../../bots/slack/bolt-log.ts";
import { clientOptions } from "../../../bots/slack/client-options.ts";
import { createInstallationStore, type InstallationStore } from "../../../bots/slack/installation-store.ts";
import { createInstallations } from "../../../bots/slack/installations.ts";
import { createOAuthPages, type OAuthPages } from "../../../bots/slack/oauth-pages.ts";
import { BOT_SCOPES, INSTALL_PATH, OAUTH_REDIRECT_PATH } from "../../../bots/slack/requirements.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";
import { createLocalCipher } from "../../../src/secrets/local-cipher.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { type FakeSlack, startFakeSlack } from "../../fakes/slack-web-api.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type EmulatedSlack, startEmulatedSlack } from "../../support/emulate-slack.ts";
import { SILENT } from "../../support/silent-log.ts";

const BOLT_LOG = createBoltLog(SILENT);
const STATE_SECRET = "a state secret for tests";

let testDatabase: TestDatabase;
let database: Database;
let store: InstallationStore;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase(testDatabase.url, () => {});
  store = createInstallationStore(database, createLocalCipher(new Secret(randomBytes(32).toString("base64"))));
});
beforeEach(async () => {
  await database.prisma.slackInstallation.deleteMany();
});
afterAll(async () => {
  await database?.close();
  await testDatabase?.drop();
});

function pagesFor(
  slack: { url: string; clientId: string; clientSecret: string },
  redirectUri: string | null,
  allowedTeams: AllowedTeams = null,
): OAuthPages {
  const apiUrl = `${slack.url}/api/`;
  return createOAuthPages({
    clientId: slack.clientId,
    clientSecret: slack.clientSecret,
    stateSecret: STATE_SECRET,
    redirectUri,
    apiUrl,
    allowedTeams,
    store,
    clientOptions: clientOptions(apiUrl, BOLT_LOG),
    boltLog: BOLT_LOG,
  });
}

const installation = (team: string, bot: Record<string, unknown> = {}) => ({
  team: { id: team, name: "Acme" },
  enterprise: undefined,
  user: { id: "U01ALICE", token: undefined, scopes: undefined },
  bot: { id: "B0BOT", userId: "U0BOT", token: "xoxb-acme", scopes: ["chat:write"], ...bot },
  tokenType: "bot" as const,
  isEnterpriseInstall: false,
  appId: "A01DECKHAND",
  authVersion: "v2" as const,
});

describe("kept installations", () => {
  it("give back what was kept, and nothing when it is removed", async () => {
    await store.storeInstallation(installation("T01ACME"));
    expect(await store.find("T01ACME")).toMatchObject({
      bot: { token: "xoxb-acme", userId: "U0BOT" },
      authVersion: "v2",
    });
    expect(await store.list()).toEqual([{ team: "T01ACME", name: "Acme" }]);
    await store.remove("T01ACME");
    expect(await store.find("T01ACME")).toBeNull();
  });

  it("are an organisation's when it was installed for all of it", async () => {
    const { team: _, ...rest } = installation("T31");
    const orgWide = {
      ...rest,
      team: undefined,
      enterprise: { id: "E01GRID", name: "Grid" },
      isEnterpriseInstall: true,
    };
    await store.storeInstallation(orgWide);
    expect(await store.find("E01GRID")).toMatchObject({ isEnterpriseInstall: true });
    expect(await store.list()).toEqual([{ team: "E01GRID", name: "Grid" }]);
  });

  it("can't be read in the database, nor in the row of another", async () => {
    await store.storeInstallation(installation("T01ACME"));
    const { ciphertext } = await database.prisma.slackInstallation.findFirstOrThrow();
    expect(Buffer.from(ciphertext).toString("latin1")).not.toContain("xoxb");
    await database.prisma.slackInstallation.create({ data: { id: "T02BETA", enterprise: false, ciphertext } });
    await expect(store.find("T02BETA")).rejects.toThrow("another row");
  });
});

describe("installing by OAuth", () => {
  let emulated: EmulatedSlack;
  let pages: OAuthPages;
  let origin: string;

  beforeAll(async () => {
    // The emulator takes one redirect URL, which must be known before the page listens.
    const probe = pagesFor({ url: "http://127.0.0.1:1", clientId: "1", clientSecret: "1" }, null);
    const port = await probe.listen("127.0.0.1", 0);
    await probe.close();
    origin = `http://127.0.0.1:${port}`;
    const redirectUri = `${origin}${OAUTH_REDIRECT_PATH}`;
    emulated = await startEmulatedSlack({ redirectUri, scopes: BOT_SCOPES.map(({ scope }) => scope) });
    pages = pagesFor(emulated, redirectUri);
    await pages.listen("127.0.0.1", port);
  });
  afterAll(async () => {
    await pages?.close();
    await emulated?.close();
  });

  const begin = async () => {
    const page = await fetch(`${origin}${INSTALL_PATH}`);
    const link = /href="([^"]*\/oauth\/v2\/authorize[^"]*)"/.exec(await page.text())?.[1] ?? "";
    const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
    return { link: link.replaceAll("&amp;", "&"), cookie };
  };

  it("asks for the scopes, and keeps the bot of whoever approved", async () => {
    const { link, cookie } = await begin();
    expect(new URL(link).searchParams.get("scope")?.split(",")).toEqual(BOT_SCOPES.map(({ scope }) => scope));
    const back = await emulated.approve(link, "alice");
    const answer = await fetch(back, { headers: { cookie } });
    expect(answer.status).toBe(200);
    const [summary] = await store.list();
    expect(summary).toMatchObject({ name: "Acme" });
    const workspaces = createInstallations({
      store,
      allowedTeams: [summary?.team ?? ""],
      clientOptions: clientOptions(`${emulated.url}/api/`, BOLT_LOG),
      authorize: pages.authorize,
      log: SILENT,
    });
    const workspace = await workspaces.of(summary?.team ?? "");
    expect(await workspace.client.auth.test()).toMatchObject({ ok: true, team: "Acme" });
  });

  it.each([
    ["a made up state", (back: URL) => back.searchParams.set("state", "made.up.state"), true],
    ["no state", (back: URL) => back.searchParams.delete("state"), true],
    ["another browser", () => undefined, false],
    ["a made up code", (back: URL) => back.searchParams.set("code", "made-up"), true],
  ])("keeps nothing for %s", async (_, tamper, sameBrowser) => {
    const { link, cookie } = await begin();
    const back = await emulated.approve(link, "alice");
    tamper(back);
    const answer = await fetch(back, { headers: sameBrowser ? { cookie } : {} });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await store.list()).toEqual([]);
  });
});

describe("teams that are not allowed", () => {
  let fake: FakeSlack;
  let pages: OAuthPages;
  let origin: string;
  const allowedTeams = ["T02BETA", "E01GRID"];
  beforeAll(async () => {
    fake = await startFakeSlack({});
    pages = pagesFor(fake, null, allowedTeams);
    origin = `http://127.0.0.1:${await pages.listen("127.0.0.1", 0)}`;
  });
  afterAll(async () => {
    await pages?.close();
    await fake?.close();
  });

  async function install(id: string): Promise<Response> {
    const installed = fake.world.installations.find((each) => each.id === id);
    if (!installed) throw new Error(`The fake Slack has no ${id}.`);
    const page = await fetch(`${origin}${INSTALL_PATH}`);
    const state = /[?&;]state=([^"&]+)/.exec(await page.text())?.[1] ?? "";
    const code = fake.authorize({ installation: installed, redirectUri: undefined, user: "U01ALICE" });
    const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
    return fetch(`${origin}${OAUTH_REDIRECT_PATH}?code=${code}&state=${state}`, { headers: { cookie } });
  }

  it("are told so on the page, and nothing of them is kept", async () => {
    const refused = await install("T01ACME");
    expect(refused.status).toBe(403);
    expect(await refused.text()).toBe(
      "This Deckhand is not open to T01ACME. Whoever runs it can add this id to SLACK_ALLOWED_TEAMS.",
    );
    expect(await store.list()).toEqual([]);
    for (const id of allowedTeams) expect((await install(id)).status).toBe(200);
    expect((await store.list()).map(({ team }) => team)).toEqual(allowedTeams);
  });

  it("are served no more when they were installed before", async () => {
    await store.storeInstallation(installation("T01ACME"));
    await store.storeInstallation(installation("T02BETA"));
    const workspaces = createInstallations({
      store,
      allowedTeams,
      clientOptions: clientOptions(fake.apiUrl, BOLT_LOG),
      authorize: pages.authorize,
      log: SILENT,
    });
    expect(await workspaces.of("T02BETA")).toMatchObject({ team: "T02BETA" });
    await expect(workspaces.of("T01ACME")).rejects.toThrow(TerminalError);
    await expect(workspaces.of("T01ACME")).rejects.toThrow("SLACK_ALLOWED_TEAMS");
  });
});

describe("tokens that end", () => {
  let fake: FakeSlack;
  beforeAll(async () => {
    fake = await startFakeSlack({ tokenLifetimeSeconds: 43_200 });
  });
  afterAll(async () => {
    await fake?.close();
  });

  const workspacesOf = (now = Date.now) => {
    const pages = pagesFor(fake, null);
    return createInstallations({
      store,
      allowedTeams: null,
      clientOptions: clientOptions(fake.apiUrl, BOLT_LOG),
      authorize: pages.authorize,
      log: SILENT,
      now,
    });
  };

  /** As OAuth leaves it, but about to end. */
  async function installAboutToEnd(): Promise<void> {
    const { bot } = await exchange(fake);
    await store.storeInstallation(installation("T01ACME", { ...bot, expiresAt: Math.floor(Date.now() / 1000) + 600 }));
  }

  it("are replaced once, however many processes need them at the same time", async () => {
    await installAboutToEnd();
    const before = fake.callsTo("oauth.v2.access").length;
    const processes = [workspacesOf(), workspacesOf(), workspacesOf()];
    const found = await Promise.all(processes.flatMap((each) => [each.of("T01ACME"), each.of("T01ACME")]));
    expect(fake.callsTo("oauth.v2.access")).toHaveLength(before + 1);
    for (const { client } of found) expect(await client.auth.test()).toMatchObject({ ok: true });
    expect(fake.violations).toEqual([]);
  });

  it("are still used when Slack gives no new ones just then", async () => {
    await installAboutToEnd();
    void fake.fail("oauth.v2.access", { type: "error", error: "internal_error" }, { times: 1 });
    const { client } = await workspacesOf().of("T01ACME");
    expect(await client.auth.test()).toMatchObject({ ok: true });
  });

  it("are not asked for again at every call while Slack gives none, until the old one ends", async () => {
    await installAboutToEnd();
    let later = 0;
    const workspaces = workspacesOf(() => Date.now() + later);
    void fake.fail("oauth.v2.access", { type: "error", error: "internal_error" }, { times: 2 });
    const before = fake.callsTo("oauth.v2.access").length;
    const asked = () => fake.callsTo("oauth.v2.access").length - before;
    const token = async () => (await workspaces.of("T01ACME")).client.token;
    const old = await token();
    for (let call = 0; call < 3; call++) expect(await token()).toBe(old);
    expect(asked()).toBe(1);
    later = 60_000;
    expect(await token()).toBe(old);
    expect(asked()).toBe(2);
    later = 700_000;
    expect(await token()).not.toBe(old);
  });

  it("are done without for now when the lock is not to be had, while the old one works", async () => {
    await installAboutToEnd();
    const locked = async () => Promise.reject(new Error("The lock was not to be had."));
    const deps = { clientOptions: clientOptions(fake.apiUrl, BOLT_LOG), log: SILENT };
    const { authorize } = pagesFor(fake, null);
    let later = 0;
    const now = () => Date.now() + later;
    const workspaces = createInstallations({
      ...deps,
      allowedTeams: null,
      store: { ...store, locked },
      authorize,
      now,
    });
    expect(await (await workspaces.of("T01ACME")).client.auth.test()).toMatchObject({ ok: true });
    later = 700_000;
    await expect(workspaces.of("T01ACME")).rejects.toThrow(RetryableError);
  });

  it("of a workspace without the app are not to be had", async () => {
    await expect(workspacesOf().of("T01ACME")).rejects.toThrow(TerminalError);
  });
});

const Granted = z.looseObject({ access_token: z.string(), refresh_token: z.string(), bot_user_id: z.string() });

async function exchange(fake: FakeSlack): Promise<{ bot: Record<string, unknown> }> {
  const acme = fake.world.installations.find(({ id }) => id === "T01ACME");
  if (!acme) throw new Error("The fake Slack has no T01ACME.");
  const answer = await fetch(`${fake.apiUrl}oauth.v2.access`, {
    method: "POST",
    body: new URLSearchParams({
      client_id: fake.clientId,
      client_secret: fake.clientSecret,
      code: fake.authorize({ installation: acme, redirectUri: undefined, user: "U01ALICE" }),
    }),
  });
  const { access_token, refresh_token, bot_user_id } = Granted.parse(await answer.json());
  return { bot: { token: access_token, refreshToken: refresh_token, userId: bot_user_id } };
}
