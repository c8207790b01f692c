import { setTimeout as sleep } from "node:timers/promises";
import type { Anthropic } from "@anthropic-ai/sdk";
import type { EventOf } from "../../src/schemas/event.ts";
import { isTransient } from "./api-errors.ts";
import { backOff } from "./backoff.ts";
import type { Cursor } from "./chat-store.ts";

type Frame = Anthropic.Beta.Sessions.BetaManagedAgentsStreamSessionEvents;
type Listed = Anthropic.Beta.Sessions.BetaManagedAgentsSessionEvent;
export type EventPreview = Extract<Frame, { type: "event_start" | "event_delta" }>;
/** `deckhand.environment_build` is what the hosted API does not have. */
export type SessionEvent = Exclude<Frame, EventPreview> | EventOf<"deckhand.environment_build">;

export type SessionNews =
  /** A committed event; each comes once and in the order of the log. */
  | { type: "event"; event: SessionEvent }
  | { type: "preview"; preview: EventPreview }
  /** Everything committed before the stream was opened has been yielded. `queued` is what no harness has taken up. */
  | { type: "caught_up"; queued: SessionEvent["type"][] }
  /** The server can't be reached; it is being tried again. */
  | { type: "contact_lost"; error: unknown };

export interface FollowOptions {
  client: Anthropic;
  sessionId: string;
  /** Yields what comes after it; from the beginning when null. */
  after: Cursor | null;
  previews: boolean;
  signal: AbortSignal;
  /** How long a stream may be silent before it is taken for dead and opened anew. */
  quietMs?: number;
}

const QUIET_MS = 30_000;
const CONNECT_TIMEOUT_MS = 15_000;
const LIST_TIMEOUT_MS = 30_000;
const PAGE_SIZE = 1000;
const QUEUED_MAX = 50;
/** Times in the log may run backwards by as much as the clocks of two servers differ. */
const CLOCK_SKEW_MS = 120_000;

/**
 * Follows a session without end: open the stream, list what was committed since, drop what was seen. Broken or silent
 * connections are replaced, as long as it takes. Rejects with the signal's reason when it aborts, and with the API's error
 * when there is no point in trying again (401, 404).
 */
export async function* followSession(options: FollowOptions): AsyncGenerator<SessionNews, never, void> {
  const { client, sessionId, signal } = options;
  const seen = new Set<string>();
  let cursor = options.after;
  let failures = 0;

  const isNews = (event: SessionEvent): boolean => {
    const committed = "processed_at" in event && typeof event.processed_at === "string";
    if (!committed || seen.has(event.id)) return false;
    seen.add(event.id);
    // A client's result counts as processed before it has its place in the log, so nothing can be said to come after it.
    if (event.type !== "user.custom_tool_result") cursor = { eventId: event.id, at: String(event.processed_at) };
    return true;
  };

  while (true) {
    const connection = new AbortController();
    const both = AbortSignal.any([signal, connection.signal]);
    try {
      const stream = await client.beta.sessions.events.stream(
        sessionId,
        options.previews ? { event_deltas: ["agent.message"] } : {},
        { signal: both, maxRetries: 0, timeout: CONNECT_TIMEOUT_MS },
      );
      // Asked for first: input that is taken up between the two questions then shows in the history.
      const waiting = await queuedEvents(client, sessionId, both);
      for await (const event of history(client, sessionId, cursor, both)) {
        if (isNews(event)) yield { type: "event", event };
      }
      yield { type: "caught_up", queued: waiting.filter(({ id }) => !seen.has(id)).map(({ type }) => type) };
      let silent = false;
      for await (const frame of untilQuiet(stream, options.quietMs ?? QUIET_MS)) {
        failures = 0;
        silent = frame === null;
        if (frame === null) break;
        if (frame.type === "event_start" || frame.type === "event_delta") yield { type: "preview", preview: frame };
        else if (isNews(frame)) yield { type: "event", event: frame };
      }
      if (!silent) failures += 1;
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      failures += 1;
      yield { type: "contact_lost", error };
    } finally {
      connection.abort();
    }
    signal.throwIfAborted();
    if (failures > 0) await backOff(failures, signal);
  }
}

/** Committed events after the cursor, oldest first. */
async function* history(
  client: Anthropic,
  sessionId: string,
  after: Cursor | null,
  signal: AbortSignal,
): AsyncGenerator<Listed, void, void> {
  const since = after && new Date(Date.parse(after.at) - CLOCK_SKEW_MS).toISOString();
  const listed = client.beta.sessions.events.list(
    sessionId,
    { limit: PAGE_SIZE, order: "asc", ...(since !== null && { "created_at[gte]": since }) },
    { signal, timeout: LIST_TIMEOUT_MS },
  );
  let reached = after === null;
  for await (const event of listed) {
    if (reached) yield event;
    else reached = event.id === after?.eventId;
  }
}

/** Input that no harness has taken up, or the latest of it: such events stand at the end of the list. */
async function queuedEvents(client: Anthropic, sessionId: string, signal: AbortSignal): Promise<Listed[]> {
  const page = await client.beta.sessions.events.list(
    sessionId,
    { limit: QUEUED_MAX, order: "desc" },
    { signal, timeout: LIST_TIMEOUT_MS },
  );
  return page.data.filter((event) => "processed_at" in event && event.processed_at === null);
}

/** Yields null when nothing came for `quietMs`: whether a connection is alive can't be seen from what the SDK yields. */
async function* untilQuiet(stream: AsyncIterable<Frame>, quietMs: number): AsyncGenerator<Frame | null, void, void> {
  const frames = stream[Symbol.asyncIterator]();
  while (true) {
    const quiet = new AbortController();
    const next = await Promise.race([
      frames.next(),
      sleep(quietMs, null, { signal: quiet.signal }).catch(() => null),
    ]).finally(() => quiet.abort());
    if (next?.done) return;
    yield next && next.value;
  }
}
