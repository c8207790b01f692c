import { isAllowedTeam } from "../../bots/slack/allowed-teams.ts";
import { createBoltLog } from "../../bots/slack/bolt-log.ts";
import { startSlack, type RunningSlack } from "../../bots/slack/app.ts";
import { clientOptions } from "../../bots/slack/client-options.ts";
import { createEnvWorkspace } from "../../bots/slack/env-workspace.ts";
import { createInstallationStore } from "../../bots/slack/installation-store.ts";
import { createInstallations } from "../../bots/slack/installations.ts";
import type { ChatCore } from "../../bots/slack/listeners/listener-deps.ts";
import { createOAuthPages, type OAuthPages } from "../../bots/slack/oauth-pages.ts";
import { createPaceStore } from "../../bots/shared/pace-store.ts";
import { createPace } from "../../bots/slack/pace.ts";
import { createSlackPeople } from "../../bots/slack/people.ts";
import { INSTALL_PATH } from "../../bots/slack/requirements.ts";
import type { SlackWorkspaces } from "../../bots/slack/slack-workspaces.ts";
import { createSlackSource } from "../../bots/slack/source.ts";
import { createSlackSurface } from "../../bots/slack/surface.ts";
import { createSlackApi } from "../../bots/slack/web-api.ts";
import type { ThreadDirectory } from "../../bots/shared/chat-records.ts";
import { parseChatThreadKey } from "../../bots/shared/chat-thread.ts";
import { messageOf, TerminalError } from "../errors.ts";
import { FILE_BYTES_MAX } from "../files/files.ts";
import type { SlackConfig } from "../slack-config.ts";
import type { Chat } from "../../workers/take-in.ts";
import { openCipher } from "./installation-cipher.ts";
import type { Platform } from "./platform.ts";

/** Slack as far as the chat core sees it, before anything comes in. */
export interface OpenSlack {
  chat: Chat;
  /** Names of people by id, as far as they can be told soon. Never rejects. */
  names: ChatCore["names"];
  /** Begins to take in what comes from Slack. Resolves with words on how it is connected, for whoever started it. */
  start(core: ChatCore): Promise<RunningSlack & { summary: string }>;
}

/** Names make a message nicer to read, and are not worth a late acknowledgement. */
const NAMES_WITHIN_MS = 700;

/** @throws TerminalError when Slack refuses the bot token */
export async function openSlack(
  platform: Platform,
  config: SlackConfig,
  directory: Pick<ThreadDirectory, "summary">,
): Promise<OpenSlack> {
  const { log } = platform;
  const boltLog = createBoltLog(log);
  const options = clientOptions(config.apiUrl, boltLog);
  const installed = await openWorkspaces(platform, config, options, boltLog);
  const { workspaces, pages, forget } = installed;
  const api = createSlackApi({ workspaces, pace: createPace(createPaceStore(platform.database)), log });
  const people = createSlackPeople(api, Date.now);
  return {
    chat: {
      surface: createSlackSurface({ api, directory, log, streaming: config.streaming }),
      source: createSlackSource({ api, people, fileBytesMax: FILE_BYTES_MAX }),
    },
    async names(thread, ids) {
      const place = parseChatThreadKey(thread);
      if (place.surface !== "slack") return new Map();
      try {
        return await people.names(place.team, ids, AbortSignal.timeout(NAMES_WITHIN_MS));
      } catch (error) {
        log.info({ chat_thread_key: thread, error: messageOf(error) }, "people in a message stay without names");
        return new Map();
      }
    },
    async start(core) {
      const { transport, host, port } = config;
      const slack = await startSlack({
        transport:
          transport.type === "socket"
            ? { type: "socket", appToken: transport.appToken.reveal() }
            : { type: "http", signingSecret: transport.signingSecret.reveal() },
        host,
        port,
        workspaces,
        pages,
        forget,
        api,
        core,
        clientOptions: options,
        boltLog,
        log,
      });
      return { ...slack, summary: summaryOf(config, slack, installed.where) };
    },
  };
}

interface Workspaces {
  workspaces: SlackWorkspaces;
  pages: OAuthPages | null;
  forget(team: string): Promise<void>;
  /** In words. */
  where: string;
}

async function openWorkspaces(
  { config, database, log }: Platform,
  { workspaces, apiUrl }: SlackConfig,
  options: ReturnType<typeof clientOptions>,
  boltLog: ReturnType<typeof createBoltLog>,
): Promise<Workspaces> {
  if (workspaces.type === "token") {
    const one = createEnvWorkspace({ botToken: workspaces.botToken.reveal(), clientOptions: options });
    const forget = async () => log.error("the Slack app was removed: SLACK_BOT_TOKEN works no more");
    return { workspaces: one, pages: null, forget, where: await nameOf(one) };
  }
  const { allowedTeams } = workspaces;
  const cipher = await openCipher(config);
  const store = createInstallationStore(database, cipher);
  const pages = createOAuthPages({
    clientId: workspaces.clientId,
    clientSecret: workspaces.clientSecret.reveal(),
    stateSecret: workspaces.stateSecret.reveal(),
    redirectUri: workspaces.redirectUri,
    allowedTeams,
    apiUrl,
    store,
    clientOptions: options,
    boltLog,
  });
  const many = createInstallations({ store, allowedTeams, clientOptions: options, authorize: pages.authorize, log });
  const served = (await store.list()).filter(({ team }) => isAllowedTeam(allowedTeams, team));
  const names = served.map(({ team, name }) => name ?? team);
  const where = names.length === 0 ? "no workspace yet" : names.join(", ");
  return { workspaces: many, pages, forget: (team) => store.remove(team), where };
}

/** @throws TerminalError */
async function nameOf(workspace: ReturnType<typeof createEnvWorkspace>): Promise<string> {
  try {
    return (await workspace.identify()).name;
  } catch (error) {
    if (error instanceof TerminalError) throw error;
    return "not reached yet, trying again";
  }
}

function summaryOf(config: SlackConfig, { connected, port }: RunningSlack, where: string): string {
  const at = `http://${config.host}:${port}`;
  const how = config.transport.type === "socket" ? (connected ? "Socket Mode" : "Socket Mode, not connected yet") : at;
  return `${where} (${how})${config.workspaces.type === "oauth" ? `, to be installed at ${at}${INSTALL_PATH}` : ""}`;
}
