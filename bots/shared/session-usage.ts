import type { Anthropic } from "@anthropic-ai/sdk";
import type { SessionEvent } from "./session-events.ts";

/** What a session has used so far, in all. */
export interface SessionUsage {
  /** In US cents, at list prices; null where the server does not tell. */
  costCents: number | null;
  /** In and out, cached ones included. */
  tokens: number;
}

/** Of a session, or of a `session.usage` event; any part of it may be missing. */
type Usage = Anthropic.Beta.Sessions.BetaManagedAgentsSession["usage"];
type RequestUsage = Extract<SessionEvent, { type: "span.model_request_end" }>["model_usage"];

/** Pure: what a session has used, from its `usage`. */
export function sessionUsage(usage: Usage): SessionUsage {
  const cents = Number(usage.list_cost?.amount ?? Number.NaN);
  const cached =
    (usage.cache_read_input_tokens ?? 0) +
    (usage.cache_creation?.ephemeral_5m_input_tokens ?? 0) +
    (usage.cache_creation?.ephemeral_1h_input_tokens ?? 0);
  return {
    costCents: usage.list_cost?.currency === "USD" && Number.isFinite(cents) ? cents : null,
    tokens: (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0) + cached,
  };
}

/** Pure: the tokens of one request to the model. */
export function requestTokens(usage: RequestUsage): number {
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage;
  return input_tokens + output_tokens + cache_creation_input_tokens + cache_read_input_tokens;
}
