import { createHmac } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { epochMs } from "./epoch-ms.ts";
import { BOT_USER, type Mentions, SIGNING_SECRET, type SentMention, TEAM } from "./slack-wire.ts";

/** As Slack says of itself: how long it waits for an answer, and when it tries again. */
const ANSWER_TIMEOUT_MS = 3_000;
const RETRY_DELAYS_MS = [0, 60_000, 300_000];

let said = 0;

/**
 * Sends mentions as Slack does, all at the same time: of each message an `app_mention` and a `message` event, signed, again
 * when it is not acknowledged in time. Resolves when all are.
 */
export async function sendMentions({ url, messages, redelivered }: Mentions): Promise<SentMention[]> {
  return Promise.all(
    messages.map(async (message, index) => {
      const ts = `${Math.floor(Date.now() / 1000)}.${String(++said).padStart(6, "0")}`;
      const sentAt = epochMs();
      const eventOf = (type: string) => ({
        type,
        ...message,
        text: `<@${BOT_USER}> ${message.text}`,
        ts,
        event_ts: ts,
        ...(type === "message" && { channel_type: "channel" }),
      });
      const mention = envelope(eventOf("app_mention"), `Ev${ts}A`);
      const [acknowledgedAt] = await Promise.all([
        deliver(url, mention),
        deliver(url, envelope(eventOf("message"), `Ev${ts}B`)),
      ]);
      if (index < redelivered) await attempt(url, mention, 1);
      return { channel: message.channel, ts, sentAt, acknowledgedAt };
    }),
  );
}

async function deliver(url: string, body: string): Promise<number> {
  for (let retry = 0; ; retry++) {
    if (await attempt(url, body, retry)) return epochMs();
    const delayMs = RETRY_DELAYS_MS[retry];
    if (delayMs === undefined) throw new Error("An event was not acknowledged in any of Slack's attempts.");
    await delay(delayMs);
  }
}

async function attempt(url: string, body: string, retry: number): Promise<boolean> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac("sha256", SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-slack-request-timestamp": timestamp,
    "x-slack-signature": `v0=${signature}`,
    ...(retry > 0 && { "x-slack-retry-num": String(retry), "x-slack-retry-reason": "http_timeout" }),
  };
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const response = await fetch(url, { method: "POST", headers, body, signal });
    await response.arrayBuffer();
    return response.ok;
  } catch (error) {
    // Slack makes no difference between late and not at all.
    if (error instanceof DOMException || error instanceof TypeError) return false;
    throw error;
  }
}

function envelope(event: object, eventId: string): string {
  return JSON.stringify({
    token: "bench",
    team_id: TEAM,
    api_app_id: "A0BENCH001",
    type: "event_callback",
    event_id: eventId,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [
      { enterprise_id: null, team_id: TEAM, user_id: BOT_USER, is_bot: true, is_enterprise_install: false },
    ],
    event,
  });
}
