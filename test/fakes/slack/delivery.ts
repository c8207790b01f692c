import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

export type DeliveryKind = "event" | "interactive" | "command";

export interface Attempt {
  /** Null when there was no answer in time, or none at all. */
  status: number | null;
  /** What the app answered with, parsed if it was JSON. */
  body: unknown;
}

/** One event, press or command on its way to the app, with its retries. */
export interface Delivery {
  kind: DeliveryKind;
  payload: Record<string, unknown>;
  attempts: Attempt[];
  /** The app took it. */
  acked: boolean;
}

export interface Outgoing {
  kind: DeliveryKind;
  payload: Record<string, unknown>;
  retry: { num: number; reason: string } | null;
}

/** One attempt. Resolves, however it went, within the time that Slack gives an app. */
export type Transport = (outgoing: Outgoing, signal: AbortSignal) => Promise<Attempt>;

export interface Retries {
  /** Between the attempts. */
  delaysMs: readonly number[];
}

/** Slack tries an event again until it was taken, and anything else just once. Never rejects. */
export async function deliver(
  transport: Transport,
  delivery: Delivery,
  { delaysMs }: Retries,
  signal: AbortSignal,
): Promise<void> {
  let reason = "http_timeout";
  const delays = delivery.kind === "event" ? [0, ...delaysMs] : [0];
  for (const [num, delayMs] of delays.entries()) {
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const { kind, payload } = delivery;
    const attempt = await transport({ kind, payload, retry: num === 0 ? null : { num, reason } }, signal);
    delivery.attempts.push(attempt);
    delivery.acked ||= attempt.status === 200;
    if (delivery.acked) return;
    reason = attempt.status === null ? "http_timeout" : "http_error";
  }
}

export interface RequestUrl {
  url: string;
  signingSecret: string;
  ackTimeoutMs: number;
}

/** To the app's request URL, signed. */
export function httpTransport({ url, signingSecret, ackTimeoutMs }: RequestUrl): Transport {
  return async ({ kind, payload, retry }, signal) => {
    const body = bodyOf(kind, payload);
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": kind === "event" ? "application/json" : "application/x-www-form-urlencoded",
          ...signatureOf(body, signingSecret, Math.floor(Date.now() / 1000)),
          ...(retry && { "x-slack-retry-num": String(retry.num), "x-slack-retry-reason": retry.reason }),
        },
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(ackTimeoutMs)]),
      });
      return { status: answer.status, body: parsed(await answer.text()) };
    } catch (error) {
      return { status: null, body: String(error) };
    }
  };
}

/** The headers that prove that a body is Slack's. */
export function signatureOf(body: string, signingSecret: string, timestampSeconds: number): Record<string, string> {
  const digest = createHmac("sha256", signingSecret).update(`v0:${timestampSeconds}:${body}`).digest("hex");
  return { "x-slack-request-timestamp": String(timestampSeconds), "x-slack-signature": `v0=${digest}` };
}

export function bodyOf(kind: DeliveryKind, payload: Record<string, unknown>): string {
  if (kind === "event") return JSON.stringify(payload);
  if (kind === "interactive") return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const fields = Object.entries(payload).map(([key, value]): [string, string] => [key, String(value)]);
  return new URLSearchParams(fields).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
