import { type Logger, LogLevel, WebClient } from "@slack/web-api";

/** Says nothing, also of what goes wrong on purpose. */
export const SILENT_SLACK_LOG: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};

/** The real client, which tries once. */
export function slackClient(world: { apiUrl: string }, token = "xoxb-acme"): WebClient {
  return new WebClient(token, {
    slackApiUrl: world.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: SILENT_SLACK_LOG,
  });
}

/** The code that the call was refused with; null when it was not. @throws what is no refusal */
export async function slackErrorOf(call: Promise<unknown>): Promise<string | null> {
  try {
    await call;
    return null;
  } catch (error) {
    const code =
      error instanceof Error && "data" in error ? /"error":"([^"]+)"/.exec(JSON.stringify(error.data)) : null;
    if (code?.[1] === undefined) throw error;
    return code[1];
  }
}
