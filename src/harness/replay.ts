import { z } from "zod";
import type { LoggedEvent } from "../sessions/event-log.ts";

/**
 * What the log keeps beside a `span.model_request_end`, hidden from the API: the model's answer as it must be sent back.
 * The wire events are made for people; thinking blocks, for one, are signed and have to return unchanged.
 */
export const ModelAnswer = z.object({
  content: z.array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      /** `id` is that of the `agent.tool_use` or `agent.custom_tool_use` event. */
      z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() }),
      z.object({ type: z.literal("thinking"), opaque: z.unknown() }),
    ]),
  ),
  /** The model declined to answer. */
  refused: z.literal(true).optional(),
});
export type ModelAnswer = z.infer<typeof ModelAnswer>;

/** Kept beside an `agent.thread_context_compacted`: stands for everything before it. */
export const CompactedContext = z.object({ summary: z.string() });
export type CompactedContext = z.infer<typeof CompactedContext>;

/** Whether the last answer in a log was a refusal. Pure. */
export function wasRefused(events: readonly LoggedEvent[]): boolean {
  const last = events.findLast(({ event }) => event.type === "span.model_request_end" && !event.is_error);
  return ModelAnswer.safeParse(last?.private).data?.refused === true;
}
