import type pg from "pg";
import { invalid } from "../errors.ts";
import type { QueuedEvent } from "../schemas/event.ts";

/** In `details.error_code` when somebody else was faster, so that a client can tell it from a mistake. */
const ALREADY_RESOLVED = "tool_call_already_resolved";

const CALLS = `
SELECT call.id, call.payload->>'evaluated_permission' AS permission,
  EXISTS (
    SELECT FROM events AS later
    WHERE later.session_id = $1 AND later.seq > call.seq
      AND later.type IN ('agent.tool_result', 'user.tool_confirmation') AND later.payload->>'tool_use_id' = call.id
  ) OR EXISTS (
    SELECT FROM queued_events AS queued
    WHERE queued.session_id = $1 AND queued.id <> ALL($3)
      AND queued.type = 'user.tool_confirmation' AND queued.payload->>'tool_use_id' = call.id
  ) AS resolved
FROM events AS call WHERE call.session_id = $1 AND call.type = 'agent.tool_use' AND call.id = ANY($2)`;

interface CallRow {
  id: string;
  permission: string | null;
  resolved: boolean;
}

/**
 * Refuses confirmations of calls that do not wait for one. The caller's transaction has put `sent` into the inbox and so
 * holds the lock on the session's row: of two people who decide on one call, the second one sees the first.
 * @throws AppError `invalid_request` that names the event, with `details.error_code` `tool_call_already_resolved` when
 *   the call was confirmed before or has its result
 */
export async function assertAwaited(
  client: pg.ClientBase,
  sessionId: string,
  sent: readonly QueuedEvent[],
): Promise<void> {
  const ids = sent.flatMap((event) => (event.type === "user.tool_confirmation" ? [event.tool_use_id] : []));
  const { rows } = await client.query<CallRow>(CALLS, [sessionId, ids, sent.map((event) => event.id)]);
  const calls = new Map(rows.map((row) => [row.id, row]));
  for (const [index, event] of sent.entries()) {
    if (event.type !== "user.tool_confirmation") continue;
    const isRepeated = ids.indexOf(event.tool_use_id) < ids.lastIndexOf(event.tool_use_id);
    assertAwaitedCall(
      `events.${index}.tool_use_id: \`${event.tool_use_id}\``,
      calls.get(event.tool_use_id),
      isRepeated,
    );
  }
}

function assertAwaitedCall(subject: string, call: CallRow | undefined, isRepeated: boolean): void {
  if (!call) throw invalid(`${subject} is not a tool call of this session`);
  if (call.permission !== "ask") {
    throw invalid(`${subject} does not ask for a confirmation; its permission is \`${call.permission ?? "allow"}\``);
  }
  if (isRepeated) throw invalid(`${subject} is confirmed more than once in this request`);
  if (call.resolved) {
    throw invalid(`${subject} was confirmed or closed before`, { details: { error_code: ALREADY_RESOLVED } });
  }
}
