import type pg from "pg";
import { invalid } from "../errors.ts";
import { type AnswerToCall, answersCall, type QueuedEvent } from "../schemas/event.ts";

/** In `details.error_code` when somebody else was faster, so that a client can tell it from a mistake. */
const ALREADY_RESOLVED = "tool_call_already_resolved";

/** A call's id is in one of two fields, by the type of what answers it. */
const callIdOf = (event: string) =>
  `coalesce(${event}.payload->>'tool_use_id', ${event}.payload->>'custom_tool_use_id') = call.id`;

const CALLS = `
SELECT call.id, call.type, call.payload->>'evaluated_permission' AS permission,
  EXISTS (
    SELECT FROM events AS later
    WHERE later.session_id = $1 AND later.seq > call.seq
      AND later.type IN ('agent.tool_result', 'user.tool_confirmation', 'user.custom_tool_result')
      AND ${callIdOf("later")}
  ) OR EXISTS (
    SELECT FROM queued_events AS queued
    WHERE queued.session_id = $1 AND queued.id <> ALL($3)
      AND queued.type IN ('user.tool_confirmation', 'user.custom_tool_result') AND ${callIdOf("queued")}
  ) AS resolved,
  EXISTS (
    SELECT FROM queued_events AS queued
    WHERE queued.session_id = $1 AND queued.type = 'user.interrupt' AND queued.id <> ALL($3)
  ) AS interrupted
FROM events AS call
WHERE call.session_id = $1 AND call.type IN ('agent.tool_use', 'agent.custom_tool_use') AND call.id = ANY($2)`;

interface CallRow {
  id: string;
  type: "agent.tool_use" | "agent.custom_tool_use";
  permission: string | null;
  resolved: boolean;
  /** An interrupt waits: it will close whatever calls are open. */
  interrupted: boolean;
}

/**
 * Refuses confirmations and results of calls that do not wait for one. The caller's transaction has put `sent` into the
 * inbox and so holds the lock on the session's row: of two clients that answer one call, the second one sees the first,
 * and so does a result that comes after an interrupt: the log never has two results of one call.
 * @throws AppError `invalid_request` that names the event, with `details.error_code` `tool_call_already_resolved` when
 *   the call was answered before, has its result, or is about to be closed
 */
export async function assertAwaited(
  client: pg.ClientBase,
  sessionId: string,
  sent: readonly QueuedEvent[],
): Promise<void> {
  const ids = sent.flatMap((event) => (answersCall(event) ? [callOf(event)] : []));
  const { rows } = await client.query<CallRow>(CALLS, [sessionId, ids, sent.map((event) => event.id)]);
  const calls = new Map(rows.map((row) => [row.id, row]));
  for (const [index, event] of sent.entries()) {
    if (!answersCall(event)) continue;
    const id = callOf(event);
    const isRepeated = ids.indexOf(id) < ids.lastIndexOf(id);
    if (event.type === "user.tool_confirmation") {
      assertAsked(`events.${index}.tool_use_id: \`${id}\``, calls.get(id), isRepeated);
    } else {
      const interrupted = sent.slice(0, index).some(({ type }) => type === "user.interrupt");
      assertCustom(`events.${index}.custom_tool_use_id: \`${id}\``, calls.get(id), isRepeated, interrupted);
    }
  }
}

const callOf = (event: AnswerToCall) =>
  event.type === "user.tool_confirmation" ? event.tool_use_id : event.custom_tool_use_id;

function assertAsked(subject: string, call: CallRow | undefined, isRepeated: boolean): void {
  if (call?.type !== "agent.tool_use") throw invalid(`${subject} is not a tool call of this session`);
  if (call.permission !== "ask") {
    throw invalid(`${subject} does not ask for a confirmation; its permission is \`${call.permission ?? "allow"}\``);
  }
  if (isRepeated) throw invalid(`${subject} is confirmed more than once in this request`);
  if (call.resolved) throw alreadyResolved(`${subject} was confirmed or closed before`);
}

function assertCustom(subject: string, call: CallRow | undefined, isRepeated: boolean, interrupted: boolean): void {
  if (call?.type !== "agent.custom_tool_use") throw invalid(`${subject} is not a custom tool call of this session`);
  if (isRepeated) throw invalid(`${subject} is answered more than once in this request`);
  if (call.resolved) throw alreadyResolved(`${subject} was answered or closed before`);
  if (interrupted || call.interrupted) throw alreadyResolved(`${subject} is being closed by an interrupt`);
}

const alreadyResolved = (message: string) => invalid(message, { details: { error_code: ALREADY_RESOLVED } });
