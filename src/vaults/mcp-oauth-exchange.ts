import { z } from "zod";
import type { CapturedResponse } from "../schemas/credential-validation.ts";
import { SECRET_CHARS_MAX } from "../schemas/credential-params.ts";
import { Secret } from "../secrets/secret.ts";
import { readText, RecordedAnswer } from "./captured-response.ts";
import { type CheckedFetch, NotAnsweredError } from "./checked-fetch.ts";
import { type RefreshGrant, tokenRequest } from "./mcp-oauth-token-request.ts";

export type ExchangeOutcome =
  | {
      type: "granted";
      accessToken: Secret;
      /** Null when the old one stays good. */
      refreshToken: Secret | null;
      /** Null when the endpoint did not say. */
      expiresAt: Date | null;
    }
  /** The same request will not be granted, however often it is made. */
  | { type: "refused"; message: string; response: CapturedResponse }
  /** Another try may work. No response when none came. */
  | { type: "failed"; message: string; response: CapturedResponse | null };

/** For one exchange, from the connection to the last byte. */
export const EXCHANGE_TIMEOUT_MS = 15_000;

/** Statuses of 4xx that say nothing about the refresh token. */
const PASSING = new Set([408, 425, 429]);
const PASSING_ERRORS = new Set(["temporarily_unavailable", "server_error", "slow_down"]);

/** What can be sent in a header, and looked for in an answer. */
const Token = z
  .string()
  .max(SECRET_CHARS_MAX)
  .regex(/^[\x21-\x7e]+$/);

const Grant = z.object({
  access_token: Token,
  refresh_token: z.union([Token, z.literal("")]).nullish(),
  expires_in: z.coerce.number().positive().max(1e9).nullish().catch(null),
});

const Refusal = z.object({ error: z.string() });

/**
 * Asks a token endpoint for a new access token, once. What comes back says what it means; nothing in it is secret but
 * the tokens. Rejects only for defects of the caller.
 */
export async function exchange(fetch: CheckedFetch, grant: RefreshGrant, now: () => number): Promise<ExchangeOutcome> {
  const host = hostOf(grant.settings.token_endpoint);
  const signal = AbortSignal.timeout(EXCHANGE_TIMEOUT_MS);
  try {
    const answer = await fetch(tokenRequest(grant), signal);
    const recorded = new RecordedAnswer(answer);
    const json = parseJson(await readText(recorded.body));
    const granted = Grant.safeParse(json);
    if (isOk(answer.status) && granted.success) return tokensOf(granted.data, now());
    return failureOf(host, answer.status, json, await recorded.capture(secretsOf(grant)));
  } catch (error) {
    if (error instanceof NotAnsweredError) return { type: "failed", message: error.message, response: null };
    if (!signal.aborted) throw error;
    const message = `${host} did not answer within ${EXCHANGE_TIMEOUT_MS / 1000} s`;
    return { type: "failed", message, response: null };
  }
}

function failureOf(host: string, status: number, json: unknown, response: CapturedResponse): ExchangeOutcome {
  const error = Refusal.safeParse(json).data?.error ?? null;
  // Only a word of the standard's kind is repeated: the text is the server's.
  const named = error !== null && /^[a-z_]{1,64}$/.test(error) ? ` (${error})` : "";
  const type = isRefusal(status, error) ? "refused" : "failed";
  return { type, message: `${host} answered ${status}${named}`, response };
}

/** Some endpoints answer an error with 200. */
function isRefusal(status: number, error: string | null): boolean {
  if (error !== null && PASSING_ERRORS.has(error)) return false;
  if (status >= 400 && status < 500) return !PASSING.has(status);
  return isOk(status) && error !== null;
}

function tokensOf(granted: z.output<typeof Grant>, nowMs: number): ExchangeOutcome {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = granted;
  return {
    type: "granted",
    accessToken: new Secret(accessToken),
    refreshToken: refreshToken ? new Secret(refreshToken) : null,
    expiresAt: seconds ? new Date(nowMs + seconds * 1000) : null,
  };
}

const isOk = (status: number) => status >= 200 && status < 300;

const secretsOf = ({ refreshToken, clientSecret }: RefreshGrant) => [
  refreshToken,
  ...(clientSecret ? [clientSecret] : []),
];

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).host : "The token endpoint");
