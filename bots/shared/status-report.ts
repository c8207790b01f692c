import type { Anthropic } from "@anthropic-ai/sdk";
import { compactNumber, formatCents, formatDuration, worthTelling } from "./render.ts";
import { sessionUsage } from "./session-usage.ts";

type SessionStatus = Anthropic.Beta.Sessions.BetaManagedAgentsSession["status"];

export interface StatusReport {
  status: SessionStatus | "waiting";
  /** How long it has been running; null when it is not. */
  runningMs: number | null;
  /** Of the session so far, cached ones included. */
  tokens: number;
  /** Of the session so far; null where the server does not tell. */
  costCents: number | null;
  activeSeconds: number;
  queuedMessages: number;
}

const REQUEST_TIMEOUT_MS = 15_000;
const QUEUE_SHOWN_MAX = 50;

/** @throws API errors; the signal's reason */
export async function statusReport(client: Anthropic, sessionId: string, signal: AbortSignal): Promise<StatusReport> {
  const request = { signal, timeout: REQUEST_TIMEOUT_MS };
  const [session, latest] = await Promise.all([
    client.beta.sessions.retrieve(sessionId, {}, request),
    client.beta.sessions.events.list(
      sessionId,
      {
        order: "desc",
        limit: QUEUE_SHOWN_MAX,
        types: ["user.message", "session.status_running", "session.status_idle"],
      },
      request,
    ),
  ]);
  const queued = latest.data.filter((event) => event.type === "user.message" && event.processed_at === null);
  const state = latest.data.find((event) => event.type !== "user.message");
  const waits = state?.type === "session.status_idle" && state.stop_reason.type === "requires_action";
  const runs = session.status === "running" && state?.type === "session.status_running";
  return {
    status: session.status === "idle" && waits ? "waiting" : session.status,
    runningMs: runs ? Date.now() - Date.parse(state.processed_at) : null,
    ...sessionUsage(session.usage),
    activeSeconds: session.stats.active_seconds ?? 0,
    queuedMessages: queued.length,
  };
}

/** Pure: the answer to the `status` command. */
export function statusText(report: StatusReport): string {
  const { status, runningMs, tokens, activeSeconds, queuedMessages } = report;
  const costCents = worthTelling(report.costCents);
  const facts = [
    `${compactNumber(tokens)} tokens`,
    ...(costCents === null ? [] : [formatCents(costCents)]),
    `${formatDuration(activeSeconds * 1000)} of work`,
  ];
  return [
    status === "running" && runningMs !== null ? `Working for ${formatDuration(runningMs)}.` : STATUS_WORDS[status],
    `So far in this session: ${facts.join(", ")}.`,
    ...(queuedMessages === 0 ? [] : [`${queuedMessages} unread message${queuedMessages === 1 ? "" : "s"}.`]),
  ].join(" ");
}

const STATUS_WORDS: Record<StatusReport["status"], string> = {
  idle: "Idle, waiting for you.",
  waiting: "Waiting for an approval.",
  running: "Working.",
  rescheduling: "Waiting to try again after a problem with the model.",
  terminated: "Ended. Your next message starts a new session.",
};
