import { APIConnectionError, APIError, AuthenticationError } from "@anthropic-ai/sdk";
import { RetryableError, TerminalError } from "../../src/errors.ts";
import { apiErrorText, isTransient } from "./api-errors.ts";

export type FailurePlan =
  /** `platformDown`: it is worth telling whoever waits. */
  | { type: "again"; delayMs: number; platformDown: boolean }
  /** `words` say what is wrong and what to do, for the person who asked. */
  | { type: "give_up"; words: string };

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** As long as the platform or the surface may be away. */
const PATIENCE_MS = 24 * 3_600_000;
/** For what may be the fault of this one request, though it does not look like it. */
const DOUBTFUL_ATTEMPTS_MAX = 8;
const DOUBTFUL_STATUSES = new Set([409, 500]);

const AWAY_TOO_LONG =
  "I could not get to this for a whole day, because the platform I run on can't be reached. Please ask again later, and " +
  "tell whoever looks after me.";
const OUR_FAULT =
  "Something went wrong on my side, and trying again did not help. Please ask again; if that fails too, tell whoever looks " +
  "after me: the log has the details.";

/** Pure: what follows when an attempt at an item has failed. `attempts` counts those before it. */
export function planAfterFailure(
  error: unknown,
  { attempts, waitedMs }: { attempts: number; waitedMs: number },
): FailurePlan {
  const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempts, 10));
  if (error instanceof TerminalError) return { type: "give_up", words: `I could not do this: ${error.message}` };
  if (waitedMs > PATIENCE_MS) return { type: "give_up", words: AWAY_TOO_LONG };
  if (error instanceof RetryableError) {
    return { type: "again", delayMs: Math.max(delayMs, error.retryAfterMs ?? 0), platformDown: false };
  }
  if (isDoubtful(error)) {
    if (attempts + 1 >= DOUBTFUL_ATTEMPTS_MAX) return { type: "give_up", words: OUR_FAULT };
    return { type: "again", delayMs, platformDown: error instanceof APIError };
  }
  // A key that the platform does not take is the operator's to mend, and no reason to lose what people asked for.
  if (isTransient(error) || error instanceof AuthenticationError) return { type: "again", delayMs, platformDown: true };
  const text = apiErrorText(error) ?? "it gave no reason.";
  return {
    type: "give_up",
    words: `The platform did not take this: ${text} Please change what it says, or show it to whoever looks after me.`,
  };
}

function isDoubtful(error: unknown): boolean {
  if (error instanceof APIConnectionError) return false;
  return !(error instanceof APIError) || DOUBTFUL_STATUSES.has(Number(error.status));
}
