import type { Anthropic } from "@anthropic-ai/sdk";
import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { RatingStore, RatingSums } from "./chat-records.ts";
import type { ThreadStore } from "./chat-store.ts";
import type { ChatThreadKey } from "./chat-thread.ts";

export interface RatingDeps {
  client: Anthropic;
  threads: Pick<ThreadStore, "open">;
  ratings: RatingStore;
  log: Logger;
}

export interface AnswerRating {
  thread: ChatThreadKey;
  /** The `agent.message` event that was rated. */
  eventId: string;
  /** The surface's id of who rates. */
  person: string;
  value: "up" | "down";
}

const REQUEST_TIMEOUT_MS = 15_000;

/**
 * Keeps what a person thinks of an answer; their latest word counts. The row is the truth: the session's metadata
 * (`rating_up`, `rating_down`) shows the sums of it for whoever reads the API, and where that can't be written it is logged
 * and not tried again before the next rating.
 * @returns false when the thread has no session any more that could be rated
 */
export async function rateAnswer(deps: RatingDeps, rating: AnswerRating, signal: AbortSignal): Promise<boolean> {
  const { sessionId } = await deps.threads.open(rating.thread);
  if (sessionId === null) return false;
  const sums = await deps.ratings.rate({ ...rating, sessionId });
  try {
    await showSums(deps, sessionId, sums, signal);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn({ session_id: sessionId, error: messageOf(error) }, "ratings could not be written to the session");
  }
  return true;
}

/** Of several who write at once, whoever is last may have the older sums: each looks again after it has written. */
async function showSums(
  { client, ratings }: RatingDeps,
  sessionId: string,
  sums: RatingSums,
  signal: AbortSignal,
): Promise<void> {
  for (let { up, down } = sums; ;) {
    const metadata = { rating_up: String(up), rating_down: String(down) };
    await client.beta.sessions.update(sessionId, { metadata }, { signal, timeout: REQUEST_TIMEOUT_MS });
    const now = await ratings.sums(sessionId);
    if (now.up === up && now.down === down) return;
    ({ up, down } = now);
  }
}
