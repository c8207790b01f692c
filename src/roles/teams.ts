import { readFile } from "node:fs/promises";
import { createPaceStore } from "../../bots/shared/pace-store.ts";
import { type TeamsCloud, teamsCloud } from "../../bots/teams/clouds.ts";
import { createTeamsConnector, type TeamsConnectorOptions } from "../../bots/teams/connector.ts";
import { createConsentStore } from "../../bots/teams/consent-store.ts";
import { createConversationStore } from "../../bots/teams/conversation-store.ts";
import { MESSAGES_PATH, startTeamsEndpoint } from "../../bots/teams/endpoint.ts";
import { type FileHosts, MICROSOFT_FILE_HOSTS, THIS_MACHINE } from "../../bots/teams/file-hosts.ts";
import { createTeamsGraph } from "../../bots/teams/graph.ts";
import { createGraphThreads } from "../../bots/teams/graph-threads.ts";
import type { TeamsCore } from "../../bots/teams/handlers/handler-deps.ts";
import { createNativeStop } from "../../bots/teams/handlers/native-stop.ts";
import { createTeamsPace } from "../../bots/teams/pace.ts";
import { createTeamsPeople } from "../../bots/teams/people.ts";
import { createTeamsPosting } from "../../bots/teams/posting.ts";
import { createTeamsSource } from "../../bots/teams/source.ts";
import { createTeamsSurface } from "../../bots/teams/surface.ts";
import type { Chat } from "../../workers/take-in.ts";
import { startTeamsConsents } from "../../workers/teams-consents.ts";
import { messageOf } from "../errors.ts";
import { FILE_BYTES_MAX } from "../files/files.ts";
import { Teardown } from "../teardown.ts";
import type { TeamsAppConfig, TeamsConfig } from "../teams-config.ts";
import type { ChatCoreParts } from "./chat-core.ts";
import { openCipher } from "./installation-cipher.ts";
import type { Platform } from "./platform.ts";
import { teamsCore } from "./teams-core.ts";

/** Teams as far as the chat core sees it, before anything comes in. */
export interface OpenTeams {
  chat: Chat;
  /** Begins to take in what comes from Teams. `summary` says how, in words for whoever started it. */
  start(): Promise<{ summary: string; stop(): Promise<void> }>;
}

/** Names make words nicer to read, and are not worth a late answer. */
const NAMES_WITHIN_MS = 2_000;
const ANONYMOUS_WARNING =
  "TEAMS_ALLOW_ANONYMOUS=1: Teams' endpoint lets in every program of this machine, as whoever it says it is. This is for " +
  "trying things out, and for nothing else.";

/** @throws Error when the app's certificate can't be read */
export async function openTeams(platform: Platform, config: TeamsConfig, core: ChatCoreParts): Promise<OpenTeams> {
  const { database, log } = platform;
  const cloud = cloudOf(config);
  const connector = await createTeamsConnector({ app: config.app && (await appOf(config.app)), cloud });
  const cipher = await openCipher(platform.config);
  const conversations = createConversationStore(database);
  const consents = createConsentStore(database, cipher);
  const posting = createTeamsPosting({
    connector,
    conversations,
    pace: createTeamsPace(createPaceStore(database)),
    log,
  });
  const people = createTeamsPeople({ connector, conversations });
  const graph = config.graph && config.app ? createTeamsGraph({ connector, graphUrl: cloud.graphUrl }) : null;
  const graphThreads = createGraphThreads({ connector, conversations, log });
  const hosts = fileHosts(config);
  const chat: Chat = {
    surface: createTeamsSurface({
      posting,
      people,
      consents: cloud.botFiles ? consents : null,
      graph,
      graphThreads,
      hosts,
      log,
      streaming: "auto",
      onStopped: createNativeStop({ core, conversations }),
    }),
    source: createTeamsSource({
      connector,
      conversations,
      people,
      graph,
      graphThreads,
      cipher,
      hosts,
      fileBytesMax: FILE_BYTES_MAX,
      teamsUrl: cloud.teamsUrl,
    }),
  };
  const own: Pick<TeamsCore, "names" | "keepConsent"> = {
    names: (thread, ids) => people.names(thread, ids, AbortSignal.timeout(NAMES_WITHIN_MS)).catch(() => new Map()),
    async keepConsent({ consentId, thread, answer, upload }) {
      await consents.answer(consentId, thread, answer, upload);
    },
  };

  return {
    chat,
    async start() {
      const anonymous = config.app === null;
      if (anonymous) log.warn(ANONYMOUS_WARNING);
      const { host, port, allowedTenants } = config;
      const started = new Teardown();
      const uploading = startTeamsConsents({ client: core.client, consents, posting, hosts, log });
      started.add(() => uploading.stop());
      try {
        const options = { connector, conversations, cipher, host, port, anonymous, allowedTenants, log };
        const endpoint = await startTeamsEndpoint({ ...options, core: teamsCore(core, { database, chat, own }) });
        started.add(() => endpoint.stop());
        const summary = `http://${host}:${endpoint.port}${MESSAGES_PATH}${anonymous ? " (anyone on this machine)" : ""}`;
        return { summary, stop: () => started.run() };
      } catch (error) {
        await started.run();
        throw error;
      }
    },
  };
}

/** Pure: where Microsoft's services are, by the settings. */
export function cloudOf({ channelService, urls }: TeamsConfig): TeamsCloud {
  const cloud = teamsCloud(channelService);
  return {
    ...cloud,
    loginUrl: urls.login ?? cloud.loginUrl,
    openIdMetadataUrl: urls.openIdMetadata ?? cloud.openIdMetadataUrl,
    graphUrl: urls.graph ?? cloud.graphUrl,
  };
}

/** Pure: where another Graph is, its files are as well; clients on this machine have theirs here. */
export function fileHosts({ app, urls }: Pick<TeamsConfig, "app" | "urls">): FileHosts {
  const own = urls.graph === null ? [] : [new URL(urls.graph).origin];
  return [...MICROSOFT_FILE_HOSTS, ...own, ...(app === null ? [THIS_MACHINE] : [])];
}

/** @throws Error when the app's certificate can't be read */
export async function appOf({ id, tenantId, credential }: TeamsAppConfig): Promise<TeamsConnectorOptions["app"]> {
  switch (credential.type) {
    case "password":
      return { id, tenantId, credential: { type: "password", password: credential.password.reveal() } };
    case "certificate": {
      const pem = await readPem(credential.file);
      return { id, tenantId, credential: { type: "certificate", certificate: pem, privateKey: pem } };
    }
    case "managed_identity":
      return { id, tenantId, credential };
  }
}

async function readPem(file: string): Promise<string> {
  let pem: string;
  try {
    pem = await readFile(file, "utf8");
  } catch (error) {
    throw new Error(`MICROSOFT_APP_CERTIFICATE can't be read: ${messageOf(error)}`, { cause: error });
  }
  const holds = (what: string) => new RegExp(`-----BEGIN (?:[A-Z]+ )?${what}-----`).test(pem);
  if (holds("CERTIFICATE") && holds("PRIVATE KEY")) return pem;
  throw new Error(
    `${file}, which MICROSOFT_APP_CERTIFICATE names, must hold a certificate and its private key in PEM.`,
  );
}
