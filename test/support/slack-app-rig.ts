import { startSlack, type RunningSlack } from "../../bots/slack/app.ts";
import { createBoltLog } from "../../bots/slack/bolt-log.ts";
import { clientOptions } from "../../bots/slack/client-options.ts";
import { createEnvWorkspace } from "../../bots/slack/env-workspace.ts";
import type { ChatCore } from "../../bots/slack/listeners/listener-deps.ts";
import { createPaceStore } from "../../bots/shared/pace-store.ts";
import { createPace } from "../../bots/slack/pace.ts";
import { EVENTS_PATH } from "../../bots/slack/requirements.ts";
import { createSlackApi } from "../../bots/slack/web-api.ts";
import { accept } from "../../bots/shared/accept.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";
import type { InboundItem } from "../../bots/shared/inbound-item.ts";
import { createInboxStore } from "../../bots/shared/inbox-store.ts";
import { createDatabase, type Database } from "../../src/database.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { freePort } from "../../src/embedded/free-port.ts";
import { SILENT } from "./silent-log.ts";

export interface KeptRow {
  thread: string;
  messageId: string;
  item: InboundItem;
}

export interface SlackAppRig {
  database: Database;
  testDatabase: TestDatabase;
  slack: RunningSlack;
  /** Where events come in by HTTP. */
  eventsUrl: URL;
  forgotten: string[];
  ratings: unknown[];
  hints: ChatThreadKey[];
  /** Everything that waits in the inbox, in the order in which it came. */
  kept(): Promise<KeptRow[]>;
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export interface SlackAppRigOptions {
  mode: "http" | "socket";
  slack: { apiUrl: string; appToken: string; signingSecret: string };
  botToken: string;
  core?: Partial<ChatCore>;
  /** For HTTP; any free one when it is left out. */
  port?: number;
}

/** The Bolt app with its inbox in Postgres. Nobody takes anything in; what it asks of the platform is answered as told. */
export async function startSlackApp(given: SlackAppRigOptions): Promise<SlackAppRig> {
  const { mode, slack, botToken, core = {} } = given;
  const testDatabase = await createTestDatabase();
  const database = createDatabase(testDatabase.url, () => {});
  const inbox = createInboxStore(database.prisma);
  const boltLog = createBoltLog(SILENT);
  const options = clientOptions(slack.apiUrl, boltLog);
  const workspaces = createEnvWorkspace({ botToken, clientOptions: options });
  const forgotten: string[] = [];
  const ratings: unknown[] = [];
  const hints: ChatThreadKey[] = [];
  const port = given.port ?? (await freePort());
  const close = async () => {
    await database.close();
    await testDatabase.drop();
  };
  const starting = startSlack({
    transport:
      mode === "http"
        ? { type: "http", signingSecret: slack.signingSecret }
        : { type: "socket", appToken: slack.appToken },
    host: "127.0.0.1",
    port,
    workspaces,
    pages: null,
    forget: async (team) => void forgotten.push(team),
    api: createSlackApi({ workspaces, pace: createPace(createPaceStore(database)), log: SILENT }),
    core: {
      accept: (arrival) => accept({ inbox, hint: async (thread) => void hints.push(thread) }, arrival),
      knows: (thread) => inbox.knows(thread),
      othersWhoDecide: async () => null,
      rate: async (rating) => void ratings.push(rating),
      names: async (_, ids) => new Map(ids.map((id) => [id, `name of ${id}`])),
      agents: async () => [{ id: "agent_1", name: "Analyst" }],
      runSlash: async ({ text }) => ({ type: "notice", level: "info", markdown: `You said ${text}.` }),
      runPicked: async ({ action }) => ({ type: "notice", level: "info", markdown: `Did ${action}.` }),
      home: () => Promise.reject(new Error("No home here.")),
      ...core,
    },
    clientOptions: options,
    boltLog,
    log: SILENT,
  });
  const running = await starting.catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    database,
    testDatabase,
    slack: running,
    eventsUrl: new URL(EVENTS_PATH, `http://127.0.0.1:${port}`),
    forgotten,
    ratings,
    hints,
    async kept() {
      const where = { settledAt: null };
      const rows = await database.prisma.chatInbound.findMany({ where, orderBy: { arrival: "asc" } });
      return rows.map(({ chatThreadKey, messageId, payload }) => ({
        thread: chatThreadKey,
        messageId,
        item: payload as InboundItem,
      }));
    },
    async clear() {
      await database.prisma.chatInbound.deleteMany();
      await database.prisma.chatReceipt.deleteMany();
      hints.length = 0;
    },
    async stop() {
      await running.stop();
      await close();
    },
  };
}
