import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelTokens, TokenDefect } from "./channel-tokens.ts";
import { jsonOf } from "./operation.ts";

export interface Attempt {
  /** Null when there was no answer in time, or none at all. */
  status: number | null;
  /** What the bot answered with, parsed if it was JSON; an invoke's response is this. */
  body: unknown;
}

/** One activity on its way to the bot, with its retries. */
export interface Delivery {
  activity: Record<string, unknown>;
  attempts: Attempt[];
  /** The bot took it with a 2xx. */
  taken: boolean;
}

export interface Sent {
  delivery: Delivery;
  /** Resolves with the last attempt when the bot has taken it, or Teams has given up. Never rejects. */
  done: Promise<Attempt>;
}

export interface Outbox {
  send(activity: Record<string, unknown>, defect?: TokenDefect): Sent;
  /** Once more, as Teams does when it lost the answer: the same activity, with another timestamp if so wished. */
  redeliver(delivery: Delivery, options?: { timestamp?: string }): Promise<Attempt>;
  readonly sent: readonly Delivery[];
}

export interface OutboxOptions {
  tokens: ChannelTokens;
  serviceUrl(): string;
  /** The bot's messaging endpoint; null while it has told none. */
  endpoint(): URL | null;
  /** How long Teams waits for the answer. */
  answerWithinMs: number;
  /** Between the attempts, when there was no answer or a 5xx. */
  redeliveryDelaysMs: readonly number[];
  /** The bot runs without credentials: no token is sent. */
  anonymous: boolean;
  changed(): void;
  signal: AbortSignal;
}

const NOWHERE: Attempt = { status: null, body: "the bot has told no endpoint" };

export function createOutbox(options: OutboxOptions): Outbox {
  const { tokens, anonymous, changed, signal, redeliveryDelaysMs } = options;
  const sent: Delivery[] = [];

  const attempt = async (activity: Record<string, unknown>, defect?: TokenDefect): Promise<Attempt> => {
    const to = options.endpoint();
    if (!to) return NOWHERE;
    const authorization = anonymous ? null : tokens.authorization(options.serviceUrl(), defect);
    try {
      const answer = await fetch(to, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          ...(authorization !== null && { authorization }),
        },
        body: JSON.stringify(activity),
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.answerWithinMs)]),
      });
      const bytes = Buffer.from(await answer.arrayBuffer());
      return { status: answer.status, body: jsonOf(bytes) ?? bytes.toString("utf8") };
    } catch (error) {
      return { status: null, body: String(error) };
    }
  };

  const deliver = async (delivery: Delivery, defect?: TokenDefect): Promise<Attempt> => {
    let last = NOWHERE;
    for (const delayMs of [0, ...redeliveryDelaysMs]) {
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return last;
      last = await attempt(delivery.activity, defect);
      delivery.attempts.push(last);
      delivery.taken ||= last.status !== null && last.status < 300;
      changed();
      if (last === NOWHERE || (last.status !== null && last.status < 500)) return last;
    }
    return last;
  };

  return {
    sent,
    send(activity, defect) {
      const delivery: Delivery = { activity, attempts: [], taken: false };
      sent.push(delivery);
      return { delivery, done: deliver(delivery, defect) };
    },
    async redeliver(delivery, { timestamp } = {}) {
      const again = await attempt({ ...delivery.activity, ...(timestamp !== undefined && { timestamp }) });
      delivery.attempts.push(again);
      changed();
      return again;
    },
  };
}
