import { randomBytes } from "node:crypto";
import { accept } from "../../bots/shared/accept.ts";
import type { InboundItem } from "../../bots/shared/inbound-item.ts";
import { createInboxStore } from "../../bots/shared/inbox-store.ts";
import { TEAMS_CLOUDS, type TeamsCloud } from "../../bots/teams/clouds.ts";
import { createTeamsConnector } from "../../bots/teams/connector.ts";
import { type ConversationStore, createConversationStore } from "../../bots/teams/conversation-store.ts";
import { MESSAGES_PATH, startTeamsEndpoint } from "../../bots/teams/endpoint.ts";
import { onePress } from "../../bots/teams/press-store.ts";
import type { ConsentAnswer, TeamsCore } from "../../bots/teams/handlers/handler-deps.ts";
import type { TeamsConnector } from "../../bots/teams/teams-connector.ts";
import { createDatabase, type Database } from "../../src/database.ts";
import { createLocalCipher } from "../../src/secrets/local-cipher.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { FakeTeams } from "../fakes/teams-connector.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { SILENT } from "./silent-log.ts";

export interface KeptRow {
  thread: string;
  messageId: string;
  item: InboundItem;
}

export interface TeamsEndpointRig {
  database: Database;
  testDatabase: TestDatabase;
  connector: TeamsConnector;
  conversations: ConversationStore;
  cipher: ReturnType<typeof createLocalCipher>;
  url: URL;
  ratings: unknown[];
  consents: ConsentAnswer[];
  /** Everything in the inbox, in the order in which it came. */
  kept(): Promise<KeptRow[]>;
  clear(): Promise<void>;
  stop(): Promise<void>;
}

export interface TeamsEndpointRigOptions {
  anonymous?: boolean;
  allowedTenants?: readonly string[] | null;
  core?: Partial<TeamsCore>;
}

/** The cloud that a fake is. */
export function cloudOf(fake: Pick<FakeTeams, "loginUrl" | "openIdMetadataUrl" | "graphUrl">): TeamsCloud {
  const { loginUrl, openIdMetadataUrl, graphUrl } = fake;
  return { ...TEAMS_CLOUDS[""], loginUrl, openIdMetadataUrl, graphUrl };
}

/** The endpoint with its inbox in Postgres. Nobody takes anything in; what it asks of the platform is answered as told. */
export async function startTeamsRig(fake: FakeTeams, options: TeamsEndpointRigOptions = {}): Promise<TeamsEndpointRig> {
  const { anonymous = false, allowedTenants = null, core = {} } = options;
  const testDatabase = await createTestDatabase();
  const database = createDatabase(testDatabase.url, () => {});
  const inbox = createInboxStore(database.prisma);
  const conversations = createConversationStore(database);
  const cipher = createLocalCipher(new Secret(randomBytes(32).toString("base64")));
  const credential = { type: "password", password: fake.appPassword } as const;
  const connector = await createTeamsConnector({
    app: anonymous ? null : { id: fake.appId, tenantId: fake.tenantId, credential },
    cloud: cloudOf(fake),
  });
  const ratings: unknown[] = [];
  const consents: ConsentAnswer[] = [];
  const endpoint = await startTeamsEndpoint({
    connector,
    conversations,
    cipher,
    anonymous,
    allowedTenants,
    host: "127.0.0.1",
    port: 0,
    core: {
      accept: (arrival) => accept({ inbox, hint: async () => {} }, arrival),
      pressId: (messageId) => onePress(database, messageId),
      knows: (thread) => inbox.knows(thread),
      othersWhoDecide: async () => null,
      answerPostedAs: async (_, activityId) => `event of ${activityId}`,
      rate: async (rating) => void ratings.push(rating),
      keepConsent: async (answer) => void consents.push(answer),
      names: async (_, ids) => new Map(ids.map((id) => [id, `name of ${id}`])),
      runSlash: async ({ text }) => ({ type: "notice", level: "info", markdown: `You said ${text}.` }),
      runPicked: async ({ action }) => ({ type: "notice", level: "info", markdown: `Did ${action}.` }),
      ...core,
    },
    log: SILENT,
  });
  const url = new URL(MESSAGES_PATH, `http://127.0.0.1:${endpoint.port}`);
  fake.deliverTo(url);
  return {
    database,
    testDatabase,
    connector,
    conversations,
    cipher,
    url,
    ratings,
    consents,
    async kept() {
      const rows = await database.prisma.chatInbound.findMany({ orderBy: { arrival: "asc" } });
      return rows.map(({ chatThreadKey, messageId, payload }) => ({
        thread: chatThreadKey,
        messageId,
        item: payload as InboundItem,
      }));
    },
    async clear() {
      await database.prisma.chatInbound.deleteMany();
      await database.prisma.chatReceipt.deleteMany();
      await database.prisma.teamsConversation.deleteMany();
      ratings.length = 0;
      consents.length = 0;
    },
    async stop() {
      await endpoint.stop();
      await database.close();
      await testDatabase.drop();
    },
  };
}
