import { randomBytes } from "node:crypto";
import { type ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createTeamsConnector } from "../../../bots/teams/connector.ts";
import { createConsentStore, type ConsentStore } from "../../../bots/teams/consent-store.ts";
import { createConversationStore, type ConversationStore } from "../../../bots/teams/conversation-store.ts";
import { createTeamsGraph, type TeamsGraph } from "../../../bots/teams/graph.ts";
import { createGraphThreads, type GraphThreads } from "../../../bots/teams/graph-threads.ts";
import type { TeamsPace } from "../../../bots/teams/pace.ts";
import { createTeamsPeople, type TeamsPeople } from "../../../bots/teams/people.ts";
import { createTeamsPosting, type TeamsPosting } from "../../../bots/teams/posting.ts";
import { createTeamsSurface, type TeamsSurfaceOptions } from "../../../bots/teams/surface.ts";
import type { ConversationRef, TeamsConnector } from "../../../bots/teams/teams-connector.ts";
import { teamsThread, teamsThreadKey } from "../../../bots/teams/teams-thread.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createLocalCipher } from "../../../src/secrets/local-cipher.ts";
import { Secret } from "../../../src/secrets/secret.ts";
import { type FakeTeams, startFakeTeams, type FakeTeamsOptions } from "../../fakes/teams-connector.ts";
import type { Conversation, Kind, User } from "../../fakes/teams/world.ts";
import { createTestDatabase } from "../../support/database.ts";
import { SILENT } from "../../support/silent-log.ts";
import { cloudOf } from "../../support/teams-endpoint-rig.ts";

/** For a Teams without limits. */
export const UNPACED: TeamsPace = {
  turn: async (_place, _urgency, signal) => signal.throwIfAborted(),
  roomNow: async () => true,
  holdOff: async () => undefined,
};

export interface SurfaceRig {
  fake: FakeTeams;
  database: Database;
  connector: TeamsConnector;
  conversations: ConversationStore;
  consents: ConsentStore;
  cipher: ReturnType<typeof createLocalCipher>;
  posting: TeamsPosting;
  people: TeamsPeople;
  graph: TeamsGraph;
  graphThreads: GraphThreads;
  /** Streams that people stopped. */
  stopped: string[];
  surface(options?: Partial<TeamsSurfaceOptions>): ReturnType<typeof createTeamsSurface>;
  /** A place where nothing was said but one message, by alice; in a channel it tells no more of the team than its id. */
  newThread(
    kind: Kind,
  ): Promise<{ thread: ChatThreadKey; conversation: Conversation; rootId: string | null; user: User }>;
  /** @throws Error when something was done that nobody does who knows Teams */
  refuseViolations(): void;
  close(): Promise<void>;
}

export interface SurfaceRigOptions extends FakeTeamsOptions {
  pace?(database: Database): TeamsPace;
}

export async function openSurfaceRig({
  pace = () => UNPACED,
  ...options
}: SurfaceRigOptions = {}): Promise<SurfaceRig> {
  const fake = await startFakeTeams({ streamIntervalMs: 0, ...options });
  const testDatabase = await createTestDatabase();
  const database = createDatabase(testDatabase.url, () => {});
  const conversations = createConversationStore(database);
  const cipher = createLocalCipher(new Secret(randomBytes(32).toString("base64")));
  const consents = createConsentStore(database, cipher);
  const credential = { type: "password", password: fake.appPassword } as const;
  const connector = await createTeamsConnector({
    app: { id: fake.appId, tenantId: fake.tenantId, credential },
    cloud: cloudOf(fake),
  });
  const posting = createTeamsPosting({ connector, conversations, pace: pace(database), log: SILENT });
  const people = createTeamsPeople({ connector, conversations });
  const graph = createTeamsGraph({ connector, graphUrl: fake.graphUrl });
  const graphThreads = createGraphThreads({ connector, conversations, log: SILENT });
  const stopped: string[] = [];

  return {
    fake,
    database,
    connector,
    conversations,
    consents,
    cipher,
    posting,
    people,
    graph,
    graphThreads,
    stopped,
    surface: (given = {}) =>
      createTeamsSurface({
        posting,
        people,
        consents,
        graph: null,
        graphThreads,
        hosts: [fake.url],
        log: SILENT,
        streaming: "auto",
        onStopped: async (thread) => void stopped.push(thread),
        ...given,
      }),
    async newThread(kind) {
      const conversation = kind === "channel" ? channelOf(fake) : chatOf(fake, kind);
      const [user] = conversation.members;
      if (!user) throw new Error("Nobody is there.");
      const said = fake.say({ user: user.id, conversation: conversation.id, text: "hello" });
      await said.done;
      const thread = teamsThreadKey(conversation.tenantId, conversation.id, said.rootId);
      await conversations.keep(teamsThread(thread).place, referenceOf(fake, conversation, user));
      return { thread, conversation, rootId: said.rootId, user };
    },
    refuseViolations() {
      if (fake.violations.length > 0) throw new Error(fake.violations.join("\n"));
    },
    async close() {
      await fake.close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

let chats = 0;

function channelOf({ world }: FakeTeams): Conversation {
  const found = world.conversations.find(({ key }) => key === "eng");
  if (!found) throw new Error("The fake Teams has no channel.");
  return found;
}

function chatOf({ world, tenantId }: FakeTeams, kind: Kind): Conversation {
  const [first, second] = world.users.filter((user) => user.tenantId === tenantId);
  if (!first || !second) throw new Error("The fake Teams has nobody.");
  chats += 1;
  const members = kind === "personal" ? [first] : [first, second];
  const base = { team: null, botInRoster: true, blocked: false, folder: null, tenantId, members };
  const made: Conversation = { ...base, id: `a:chat-${chats}`, key: `chat-${chats}`, kind, name: `chat ${chats}` };
  world.conversations.push(made);
  return made;
}

function referenceOf(fake: FakeTeams, { id, kind, tenantId, team }: Conversation, user: User): ConversationRef {
  const { name, aadObjectId } = user;
  return {
    serviceUrl: fake.serviceUrl,
    tenantId,
    conversationId: id,
    kind,
    bot: { id: `28:${fake.appId}`, name: "Deckhand" },
    user: kind === "personal" ? { id: user.id, aadObjectId, name } : null,
    team: team && { id: team.id, aadGroupId: null, channelId: id },
    locale: null,
  };
}
