import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createInstallationStore } from "../../bots/slack/installation-store.ts";
import { BOT_SCOPES } from "../../bots/slack/requirements.ts";
import { createDatabase } from "../../src/database.ts";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { type FakeSlackOptions, startFakeSlack } from "../fakes/slack-web-api.ts";
import { startApi } from "../support/api.ts";
import { createUnmigratedDatabase } from "../support/database.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "deckhand-slack-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

function slack(args: string[], settings: Record<string, string> = {}): Promise<Ended> {
  const env = { PATH: "/usr/bin:/bin", DECKHAND_HOME: home, ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, "slack", ...args], { env }, (error, stdout, stderr) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

async function fakeSlack(options: FakeSlackOptions = {}) {
  const fake = await startFakeSlack(options);
  onTestFinished(() => fake.close());
  return fake;
}

const SOCKET = { SLACK_BOT_TOKEN: "xoxb-acme", SLACK_APP_TOKEN: "xapp-fake" };

function installation(id: string, name: string, token: string) {
  return {
    team: { id, name },
    enterprise: undefined,
    user: { id: "U01ALICE", token: undefined, scopes: undefined },
    bot: { id: "B0BOT", userId: "U0BOT", token, scopes: [] },
    isEnterpriseInstall: false,
    authVersion: "v2" as const,
  };
}

/** Settings of an API that runs. */
async function runningApi(): Promise<Record<string, string>> {
  const api = await startApi();
  onTestFinished(() => api.stop());
  return { DECKHAND_URL: api.baseURL, DECKHAND_API_KEY: api.key };
}

describe("deckhand slack check", () => {
  it("finds nothing missing where the app is as the manifest makes it, and changes nothing", async () => {
    const fake = await fakeSlack();
    const { exitCode, stdout } = await slack(["check"], {
      ...SOCKET,
      SLACK_API_URL: fake.apiUrl,
      ...(await runningApi()),
    });
    expect({ exitCode, missing: stdout.match(/^missing.*/gm) }).toEqual({ exitCode: 0, missing: null });
    for (const found of [
      /^ok +SLACK_BOT_TOKEN +.*\(U0BOT\) in Acme \(T01ACME\)$/m,
      new RegExp(`^ok +Scopes of SLACK_BOT_TOKEN +all ${BOT_SCOPES.length}$`, "m"),
      /^ok +SLACK_APP_TOKEN +/m,
      /^cannot tell +Events +.*\n +→ .*Event Subscriptions/m,
      /^ok +Agent sessions +/m,
      /^ok +Streaming +/m,
      /^ok +Model +model-c$/m,
      /^cannot tell +Links to files +.*\n +→ /m,
    ])
      expect(stdout).toMatch(found);
    expect(fake.world.messages).toEqual([]);
    expect(fake.world.sessions.size).toBe(0);
    expect(await readdir(home)).toEqual([]);
  });

  it("names each scope that is missing, and what it is for", async () => {
    const fake = await fakeSlack({
      scopes: BOT_SCOPES.map(({ scope }) => scope).filter((each) => each !== "files:write"),
    });
    const { exitCode, stdout } = await slack(["check"], { ...SOCKET, SLACK_API_URL: fake.apiUrl });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^missing +Scopes of SLACK_BOT_TOKEN +files:write, .* post the files it made\n +→ .*install/m,
    );
    expect(stdout.match(/^missing +Scopes/gm)).toHaveLength(1);
  });

  it("says what Slack refuses, never showing a token", async () => {
    const fake = await fakeSlack();
    const { exitCode, stdout, stderr } = await slack(["check"], {
      SLACK_API_URL: fake.apiUrl,
      SLACK_BOT_TOKEN: "xoxb-not-a-token",
      SLACK_APP_TOKEN: "xapp-not-a-token",
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^missing +SLACK_BOT_TOKEN +.*invalid_auth.*\n +→ .*OAuth & Permissions/m);
    expect(stdout).toMatch(/^missing +SLACK_APP_TOKEN +.*\n +→ .*connections:write/m);
    expect(stdout).toMatch(/^missing +API +.*\n +→ .*deckhand up/m);
    expect(stdout).not.toContain("Gone");
    expect(stdout + stderr).not.toContain("not-a-token");
  });

  it("says when the app is no agent", async () => {
    const fake = await fakeSlack({ isAgent: false });
    const { stdout } = await slack(["check"], { ...SOCKET, SLACK_API_URL: fake.apiUrl });
    expect(stdout).toMatch(/^missing +Agent sessions +.*\n +→ .*agent_view/m);
  });

  it("tells programs the same", async () => {
    const fake = await fakeSlack();
    const settings = { SLACK_BOT_TOKEN: "xoxb-acme", SLACK_SIGNING_SECRET: "sec", SLACK_API_URL: fake.apiUrl };
    const { exitCode, stdout } = await slack(["check", "--json"], settings);
    expect(exitCode).toBe(1);
    const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: { state: string; subject: string }[] };
    expect(ok).toBe(false);
    expect(findings.filter(({ state }) => state === "missing").map(({ subject }) => subject)).toEqual(["API"]);
    expect(findings).toContainEqual(expect.objectContaining({ state: "cannot_tell", subject: "Request URL" }));
  });

  it("looks at each workspace that installed the app", async () => {
    const fake = await fakeSlack();
    const testDatabase = await createUnmigratedDatabase();
    onTestFinished(() => testDatabase.drop());
    const database = createDatabase(testDatabase.url, () => {});
    onTestFinished(() => database.close());
    const masterKey = randomBytes(32).toString("base64");
    const settings = {
      SLACK_CLIENT_ID: "1.2",
      SLACK_CLIENT_SECRET: "client-secret",
      SLACK_STATE_SECRET: "a state secret for tests",
      SLACK_ALLOWED_TEAMS: "T01ACME,T02BETA",
      SLACK_SIGNING_SECRET: "signing-secret",
      SLACK_API_URL: fake.apiUrl,
      DATABASE_URL: testDatabase.url,
      DECKHAND_MASTER_KEY: masterKey,
    };
    const none = await slack(["check"], settings);
    expect(none.stdout).toMatch(/^missing +Settings +.*in 0 workspaces\n +→ .*\/slack\/install/m);

    const store = createInstallationStore(database, createLocalCipher(new Secret(masterKey)));
    await store.storeInstallation(installation("T01ACME", "Acme", "xoxb-acme"));
    await store.storeInstallation(installation("T02BETA", "Beta", "xoxb-of-beta-before"));
    await store.storeInstallation(installation("T03GONE", "Gone", "xoxb-of-gone"));
    const { exitCode, stdout, stderr } = await slack(["check"], settings);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ok +Settings +.*in 2 workspaces$/m);
    expect(stdout).toMatch(/^ok +Installation in Acme +.*\(T01ACME\)$/m);
    expect(stdout).toMatch(/^missing +Installation in Beta +.*invalid_auth.*\n +→ .*\/slack\/install/m);
    expect(stdout + stderr).not.toMatch(/xoxb-|client-secret|signing-secret/);
  });

  it("says that Slack can't be reached, or is not set up", async () => {
    const away = await slack(["check"], { ...SOCKET, SLACK_API_URL: "http://127.0.0.1:1/api/" });
    expect(away.exitCode).toBe(1);
    expect(away.stdout).toMatch(/^missing +SLACK_BOT_TOKEN +Slack could not be asked: .*\n +→ .*SLACK_API_URL/m);
    const none = await slack(["check"]);
    expect(none.exitCode).toBe(1);
    expect(none.stdout).toMatch(/^missing +Settings +.*\n +→ .*SLACK_BOT_TOKEN/m);
  });
});

describe("deckhand slack manifest", () => {
  it("prints JSON for Socket Mode, or YAML for a server and a name", async () => {
    const socket = await slack(["manifest"]);
    expect(JSON.parse(socket.stdout)).toMatchObject({
      display_information: { name: "Deckhand" },
      settings: { socket_mode_enabled: true },
    });
    const http = await slack(["manifest", "--http", "https://d.example.com", "--name", "Ops", "--yaml"]);
    expect(http.stdout).toMatch(/^display_information:\n {2}name: "Ops"\n/);
    expect(http.stdout).toContain('request_url: "https://d.example.com/slack/events"');
  });

  it.each([
    [["--http", "http://d.example.com"], "is not an https:// URL"],
    [["--http", "https://d.example.com/slack"], "with nothing behind it"],
    [["--oauth", "deckhand"], "is not an https:// URL"],
    [["--http", "https://d.example.com", "--socket"], "exclude each other"],
    [["--name", "x".repeat(36)], "1 to 35 characters"],
  ])("refuses %j", async (args, why) => {
    const { exitCode, stdout, stderr } = await slack(["manifest", ...args]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(why);
  });

  it("takes http for an address of this machine", async () => {
    expect((await slack(["manifest", "--http", "http://127.0.0.1:4110"])).exitCode).toBe(0);
  });
});
