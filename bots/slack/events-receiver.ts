import { HTTPReceiver } from "@slack/bolt";
import type { createBoltLog } from "./bolt-log.ts";
import type { OAuthPages } from "./oauth-pages.ts";
import { EVENTS_PATH, INSTALL_PATH, OAUTH_REDIRECT_PATH } from "./requirements.ts";

export interface EventsReceiverOptions {
  signingSecret: string;
  pages: OAuthPages | null;
  boltLog: ReturnType<typeof createBoltLog>;
}

/** Slack gives up on an answer after 3 s, the way to it included, and then brings the event again. */
const ANSWER_WITHIN_MS = 2_500;

/**
 * Takes events, commands and interactions in by HTTP, if they are signed: 401 where they are not, 503 for what could not be
 * kept or not in time, which Slack then brings again.
 */
export function createEventsReceiver({ signingSecret, pages, boltLog }: EventsReceiverOptions): HTTPReceiver {
  const installing = [INSTALL_PATH, OAUTH_REDIRECT_PATH];
  return new HTTPReceiver({
    signingSecret,
    endpoints: [EVENTS_PATH],
    customRoutes: pages ? installing.map((path) => ({ path, method: "GET", handler: pages.serve })) : [],
    logger: boltLog,
    unhandledRequestTimeoutMillis: ANSWER_WITHIN_MS,
    unhandledRequestHandler: ({ response }) => {
      if (!response.headersSent) response.writeHead(503).end();
    },
    // The failure itself is logged where it is known what it was about.
    processEventErrorHandler: async ({ response }) => {
      if (response.headersSent) return false;
      response.writeHead(503).end();
      return true;
    },
  });
}
