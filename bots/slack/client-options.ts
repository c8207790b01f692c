import type { Logger as BoltLogger } from "@slack/bolt";
import type { WebClientOptions } from "@slack/web-api";

/** Long enough for a file of the largest size that is posted; calls that somebody waits for have shorter ones of their own. */
const REQUEST_TIMEOUT_MS = 120_000;

/** How every client of the Web API is set up: it repeats nothing by itself, so that whoever calls decides, and paces. */
export function clientOptions(apiUrl: string, logger: BoltLogger): WebClientOptions {
  return {
    slackApiUrl: apiUrl,
    logger,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: REQUEST_TIMEOUT_MS,
    // A method name can't send the token elsewhere.
    allowAbsoluteUrls: false,
  };
}
