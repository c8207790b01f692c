import type { IncomingMessage, ServerResponse } from "node:http";
import { type AuthorizeResult, HTTPReceiver, type InstallationQuery, type InstallationStore } from "@slack/bolt";
import type { WebClientOptions } from "@slack/web-api";
import { messageOf } from "../../src/errors.ts";
import { isAllowedTeam, refusedTeamText, type AllowedTeams } from "./allowed-teams.ts";
import type { createBoltLog } from "./bolt-log.ts";
import { teamOf } from "./installation-store.ts";
import { BOT_SCOPES, INSTALL_PATH, OAUTH_REDIRECT_PATH } from "./requirements.ts";

export interface OAuthPagesOptions {
  clientId: string;
  clientSecret: string;
  /** Signs the state that ties Slack's answer to the browser which asked. */
  stateSecret: string;
  /** Null for the one that the app's settings name first. */
  redirectUri: string | null;
  apiUrl: string;
  /** Others are told that they are not let in, and nothing of them is stored. */
  allowedTeams: AllowedTeams;
  store: InstallationStore;
  clientOptions: WebClientOptions;
  boltLog: ReturnType<typeof createBoltLog>;
}

export interface OAuthPages {
  /** Serves `INSTALL_PATH` and `OAUTH_REDIRECT_PATH`. */
  serve: HTTPReceiver["requestListener"];
  /** Listens for these two pages alone, where no other server has them. Resolves with the port. */
  listen(host: string, port: number): Promise<number>;
  close(): Promise<void>;
  /** Replaces tokens that end soon, in the store too. Not safe to call twice at once for one installation. */
  authorize(query: InstallationQuery<boolean>): Promise<AuthorizeResult>;
}

/** The pages by which people add the app to their workspace or organisation. */
export function createOAuthPages(options: OAuthPagesOptions): OAuthPages {
  const receiver = new HTTPReceiver({
    // No events come in here, so there is nothing to verify.
    endpoints: [],
    signingSecret: "",
    signatureVerification: false,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    stateSecret: options.stateSecret,
    scopes: BOT_SCOPES.map(({ scope }) => scope),
    installationStore: options.store,
    ...(options.redirectUri !== null && { redirectUri: options.redirectUri }),
    installerOptions: {
      installPath: INSTALL_PATH,
      redirectUriPath: OAUTH_REDIRECT_PATH,
      authorizationUrl: new URL("/oauth/v2/authorize", options.apiUrl).href,
      clientOptions: options.clientOptions,
      callbackOptions: { afterInstallation: admission(options) },
    },
    logger: options.boltLog,
  });
  const { installer } = receiver;
  if (!installer) throw new TypeError("Bolt made no installer of the given client id and secrets.");
  return {
    serve: receiver.requestListener,
    listen: (host, port) => listen(receiver, host, port),
    close: () => receiver.stop(),
    authorize: (query) => installer.authorize(query),
  };
}

/** Only the answer to the code tells whose installation it is. False has Bolt store nothing, and leave the page to us. */
function admission({ allowedTeams, boltLog }: OAuthPagesOptions) {
  return async (
    installation: Parameters<typeof teamOf>[0],
    _options: unknown,
    _request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> => {
    const team = teamOf(installation);
    if (isAllowedTeam(allowedTeams, team)) return true;
    boltLog.warn(`Not installed: ${refusedTeamText(team)}`);
    response.writeHead(403, { "content-type": "text/plain; charset=utf-8" });
    response.end(refusedTeamText(team));
    return false;
  };
}

/**
 * Listens on this address alone. Resolves with the port, which the system chose where `port` is 0.
 * @throws Error that names the settings when the address can't be had
 */
export async function listen(receiver: HTTPReceiver, host: string, port: number): Promise<number> {
  try {
    const address = (await receiver.start({ host, port })).address();
    return address !== null && typeof address === "object" ? address.port : port;
  } catch (error) {
    const what = `Slack can't be listened to on ${host}:${port} (${messageOf(error)}).`;
    throw new Error(`${what} Free the port, or set SLACK_HOST or SLACK_PORT.`, { cause: error });
  }
}
