import { type App, SocketModeReceiver } from "@slack/bolt";
import type { WebClientOptions } from "@slack/web-api";
import type { Logger } from "../../src/log.ts";
import { createAfterwards, type Afterwards } from "../shared/afterwards.ts";
import type { createBoltLog } from "./bolt-log.ts";
import { createEventsReceiver } from "./events-receiver.ts";
import { listenToApprovals } from "./listeners/approvals.ts";
import { listenToHandOver } from "./listeners/hand-over.ts";
import { listenToHome } from "./listeners/home.ts";
import type { ChatCore, ListenerDeps } from "./listeners/listener-deps.ts";
import { listenToMessages } from "./listeners/messages.ts";
import { listenToRatings } from "./listeners/ratings.ts";
import { listenToRemoval } from "./listeners/removal.ts";
import { listenToSlash } from "./listeners/slash.ts";
import { listenToStops } from "./listeners/stops.ts";
import { listen, type OAuthPages } from "./oauth-pages.ts";
import { SlackApp } from "./slack-app.ts";
import type { SlackWorkspaces } from "./slack-workspaces.ts";
import { keepConnected } from "./socket-connection.ts";
import type { SlackApi } from "./web-api.ts";

/** How events come in. */
export type SlackTransport = { type: "socket"; appToken: string } | { type: "http"; signingSecret: string };

export interface StartSlackDeps {
  transport: SlackTransport;
  /** Where events come in by HTTP, and people install the app. */
  host: string;
  port: number;
  workspaces: SlackWorkspaces;
  /** Null where the workspace is named by its token. */
  pages: OAuthPages | null;
  /** The app was removed from this team. */
  forget(team: string): Promise<void>;
  api: SlackApi;
  core: ChatCore;
  clientOptions: WebClientOptions;
  boltLog: ReturnType<typeof createBoltLog>;
  log: Logger;
}

export interface RunningSlack {
  /** Where events come in by HTTP, or people install the app; null when nothing listens. */
  port: number | null;
  /** False while Slack can't be reached by Socket Mode, which goes on being tried. */
  connected: boolean;
  /** Takes no more in, and waits for what is being taken in. */
  stop(): Promise<void>;
}

const FIRST_CONNECTION_WAIT_MS = 5_000;
const SOCKET_URL_TIMEOUT_MS = 10_000;

/**
 * Takes in everything that comes from Slack. An event is acknowledged when it is kept, and not before: while the database is
 * away, Slack is left to bring it again. A Slack that can't be reached is waited for in the background.
 * @throws TerminalError when Slack refuses the app token; the error of a port that can't be opened
 */
export async function startSlack(deps: StartSlackDeps): Promise<RunningSlack> {
  const { transport } = deps;
  return transport.type === "socket"
    ? await startSocket(deps, transport.appToken)
    : await startHttp(deps, transport.signingSecret);
}

async function startHttp(deps: StartSlackDeps, signingSecret: string): Promise<RunningSlack> {
  const receiver = createEventsReceiver({ ...deps, signingSecret });
  const afterwards = createAfterwards(deps.log);
  const app = new SlackApp({ ...deps, receiver });
  listenTo(app, deps, afterwards);
  const port = await listen(receiver, deps.host, deps.port);
  return {
    port,
    connected: true,
    async stop() {
      await receiver.stop();
      await app.settled();
      await afterwards.stop();
    },
  };
}

async function startSocket(deps: StartSlackDeps, appToken: string): Promise<RunningSlack> {
  const receiver = new SocketModeReceiver({
    appToken,
    autoReconnectEnabled: false,
    logger: deps.boltLog,
    installerOptions: { clientOptions: { ...deps.clientOptions, timeout: SOCKET_URL_TIMEOUT_MS } },
  });
  const afterwards = createAfterwards(deps.log);
  const app = new SlackApp({ ...deps, receiver });
  listenTo(app, deps, afterwards);
  const port = deps.pages ? await deps.pages.listen(deps.host, deps.port) : null;
  const connection = keepConnected(receiver.client, deps.log);
  const stop = async () => {
    await connection.stop();
    await app.settled();
    await deps.pages?.close();
    await afterwards.stop();
  };
  try {
    return { port, connected: await connection.first(FIRST_CONNECTION_WAIT_MS), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function listenTo(app: App, { api, core, log, forget }: StartSlackDeps, afterwards: Afterwards): void {
  const deps: ListenerDeps = { api, core, log, afterwards };
  listenToMessages(app, deps);
  listenToStops(app, deps);
  listenToApprovals(app, deps);
  listenToRatings(app, deps);
  listenToSlash(app, deps);
  listenToHandOver(app, deps);
  listenToHome(app, deps);
  listenToRemoval(app, deps, forget);
}
