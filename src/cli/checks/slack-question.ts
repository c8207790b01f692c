import { WebAPIPlatformError, WebClient, type WebAPICallResult } from "@slack/web-api";
import { createBoltLog } from "../../../bots/slack/bolt-log.ts";
import { clientOptions } from "../../../bots/slack/client-options.ts";
import { slackError } from "../../../bots/slack/errors.ts";
import { createLog } from "../../log.ts";

const CALL_TIMEOUT_MS = 10_000;
const CODE = /^[a-z0-9_.:-]{1,120}$/i;

/** A client for questions that somebody waits for at a terminal, which says nothing by itself. */
export function questionClient(apiUrl: string, token: string): WebClient {
  const quiet = createBoltLog(createLog("silent"));
  return new WebClient(token, { ...clientOptions(apiUrl, quiet), timeout: CALL_TIMEOUT_MS });
}

export type Answer<Result> =
  | { type: "yes"; result: Result }
  /** Slack's own code. */
  | { type: "no"; code: string }
  | { type: "no_answer"; why: string };

/** What Slack says to one call. Never rejects, and repeats nothing that holds a token. */
export async function askSlack<Result extends WebAPICallResult>(call: Promise<Result>): Promise<Answer<Result>> {
  try {
    return { type: "yes", result: await call };
  } catch (error) {
    // What is no code is an error page of something in between.
    if (error instanceof WebAPIPlatformError && CODE.test(error.data.error))
      return { type: "no", code: error.data.error };
    return { type: "no_answer", why: slackError(error).message };
  }
}
