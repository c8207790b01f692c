import { newId } from "../ids.ts";
import { type EventParams, QueuedEvent } from "../schemas/event.ts";

/**
 * An event as it waits in the inbox. The result of a client's own tool counts as processed at once: nothing but the call
 * that it answers decides on what becomes of it.
 */
export function queuedEvent(params: EventParams): QueuedEvent {
  const processedAt = params.type === "user.custom_tool_result" ? new Date().toISOString() : null;
  return QueuedEvent.parse({ id: newId("sevt"), processed_at: processedAt, ...params });
}
