import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createProgress } from "../../src/cli/progress.ts";
import { loadConfig } from "../../src/config.ts";
import { type Deckhand, type Role, startDeckhand } from "../../src/main.ts";
import { type FakeSlack, startFakeSlack } from "../fakes/slack-web-api.ts";
import { createUnmigratedDatabase, type TestDatabase } from "../support/database.ts";
import { freePort } from "../../src/embedded/free-port.ts";
import { SILENT } from "../support/silent-log.ts";

let home: string;
let database: TestDatabase;
let fake: FakeSlack;
const running: Deckhand[] = [];

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "deckhand-bots-"));
  database = await createUnmigratedDatabase();
  fake = await startFakeSlack({ deliverTo: "socket" });
});
afterEach(async () => {
  for (const each of running.splice(0).toReversed()) await each.stop();
});
afterAll(async () => {
  await fake?.close();
  await database?.drop();
  await rm(home, { recursive: true, force: true });
});

async function start(roles: Role[], env: Record<string, string>): Promise<Deckhand> {
  const config = loadConfig(home, {
    DATABASE_URL: database.url,
    DECKHAND_HOME: home,
    DECKHAND_API_KEY: "dk_bots_test_0123456789",
    SLACK_API_URL: fake.apiUrl,
    ...env,
  });
  const progress = createProgress({ write: () => true });
  const deckhand = await startDeckhand({ config, roles, log: SILENT, progress, signal: AbortSignal.timeout(60_000) });
  running.push(deckhand);
  return deckhand;
}

const TOKENS = { SLACK_BOT_TOKEN: "xoxb-acme", SLACK_APP_TOKEN: "xapp-fake" };

describe("the bots", () => {
  it("have nothing to do without a chat, and say nothing of one", async () => {
    const deckhand = await start(["bots"], {});
    expect(deckhand.slack).toBeNull();
  });

  it("do not start with a token that Slack refuses, and name it", async () => {
    await expect(start(["bots"], { ...TOKENS, SLACK_BOT_TOKEN: "xoxb-wrong" })).rejects.toThrow("SLACK_BOT_TOKEN");
    await expect(start(["bots"], { ...TOKENS, SLACK_APP_TOKEN: "xapp-wrong" })).rejects.toThrow("SLACK_APP_TOKEN");
    expect(fake.socket.connections()).toBe(0);
  });

  it("start without the API, tell people that it is away, and bring it what they asked when it is back", async () => {
    const port = String(await freePort());
    const bots = await start(["bots"], { ...TOKENS, DECKHAND_URL: `http://127.0.0.1:${port}` });
    expect(bots.slack).toBe("Acme (Socket Mode)");

    const said = fake.say({ channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> make a report" });
    await said.done;
    expect(said.deliveries.every(({ acked }) => acked)).toBe(true);
    const told = () => JSON.stringify(fake.thread("C01ENG", said.ts)).includes("Your request is kept");
    await fake.until("a word on the API", told, 20_000);

    await start(["api"], { PORT: port });
    const where = { chatThreadKey: `slack:T01ACME:C01ENG:${said.ts}` };
    const becameOf = async () => (await bots.database.prisma.chatInbound.findFirst({ where }))?.eventId ?? "";
    await expect.poll(becameOf, { timeout: 20_000 }).toMatch(/^sevt_/);
    expect(fake.violations).toEqual([]);
  });
});
