import type { Anthropic } from "@anthropic-ai/sdk";
import { followSession, type SessionEvent } from "../../../bots/shared/session-events.ts";

/** What was seen of a turn from outside. Times are in ms since the epoch, null until seen. */
export interface TurnMeter {
  readonly events: number;
  readonly tokens: number;
  readonly firstEventAt: number | null;
  /** When the first piece of the model's text was seen. */
  readonly firstTokenAt: number | null;
  stop(): void;
}

/** Watches a session by a stream of its own. Resolves when the stream is open, so that nothing sent from then on is missed. */
export async function startTurnMeter(client: Anthropic, sessionId: string, signal: AbortSignal): Promise<TurnMeter> {
  const stopping = new AbortController();
  const either = AbortSignal.any([signal, stopping.signal]);
  const seen = { events: 0, tokens: 0, firstEventAt: null as number | null, firstTokenAt: null as number | null };
  const opened = Promise.withResolvers<void>();

  const watch = async () => {
    const news = followSession({ client, sessionId, after: null, previews: true, signal: either });
    for await (const item of news) {
      if (item.type === "caught_up") opened.resolve();
      if (item.type === "event" || item.type === "preview") seen.firstEventAt ??= Date.now();
      if (item.type === "event") {
        seen.events += 1;
        seen.tokens += tokensOf(item.event);
      }
      if (isFirstText(item)) seen.firstTokenAt ??= Date.now();
    }
  };
  watch().catch((error: unknown) => opened.reject(error));
  await opened.promise;

  return {
    get events() {
      return seen.events;
    },
    get tokens() {
      return seen.tokens;
    },
    get firstEventAt() {
      return seen.firstEventAt;
    },
    get firstTokenAt() {
      return seen.firstTokenAt;
    },
    stop: () => stopping.abort(),
  };
}

type News = typeof followSession extends (...args: never[]) => AsyncGenerator<infer Item, never, void> ? Item : never;

/** A message that came whole, where a server sends no previews. */
function isFirstText(item: News): boolean {
  if (item.type === "preview") return item.preview.type === "event_delta";
  return item.type === "event" && item.event.type === "agent.message";
}

function tokensOf(event: SessionEvent): number {
  if (event.type !== "span.model_request_end") return 0;
  const usage = event.model_usage;
  return usage.input_tokens + usage.output_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens;
}
