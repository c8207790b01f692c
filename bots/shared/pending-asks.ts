import { NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import type { Ask } from "./turn.ts";

type EventTypes = NonNullable<Anthropic.Beta.Sessions.EventListParams["types"]>;

const TOOL_USES: EventTypes = ["agent.tool_use", "agent.mcp_tool_use"];
/** The latest of these tells whether the session waits, and for what. Input that was not taken up yet stands at the end. */
const TELLING: EventTypes = [
  "session.status_idle",
  "session.status_running",
  "session.status_terminated",
  "user.interrupt",
  "user.tool_confirmation",
];
const TELLING_MAX = 200;
const LOOKED_THROUGH_MAX = 1000;
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * The tool calls that a session waits for people to decide on, oldest first, as its log has it. One that somebody decided on
 * already is left out, also when the session has not taken that up.
 */
export async function pendingAsks(client: Anthropic, sessionId: string, signal: AbortSignal): Promise<Ask[]> {
  const page = await client.beta.sessions.events.list(
    sessionId,
    { order: "desc", limit: TELLING_MAX, types: TELLING },
    { signal, timeout: REQUEST_TIMEOUT_MS },
  );
  const decided = new Set<string>();
  for (const event of page.data) {
    if (event.type === "user.tool_confirmation") decided.add(event.tool_use_id);
    else if (event.type !== "session.status_idle" || event.stop_reason.type !== "requires_action") return [];
    else
      return findAsks(
        client,
        sessionId,
        event.stop_reason.event_ids.filter((id) => !decided.has(id)),
        signal,
      );
  }
  return [];
}

/** Those of `toolUseIds` that are among the session's latest tool calls, oldest first. None when there is no such session. */
export async function findAsks(
  client: Anthropic,
  sessionId: string,
  toolUseIds: readonly string[],
  signal: AbortSignal,
): Promise<Ask[]> {
  const missing = new Set(toolUseIds);
  if (missing.size === 0) return [];
  const query = { order: "desc" as const, limit: LOOKED_THROUGH_MAX, types: TOOL_USES };
  try {
    const page = await client.beta.sessions.events.list(sessionId, query, { signal, timeout: REQUEST_TIMEOUT_MS });
    const asks = page.data.flatMap((event) =>
      (event.type === "agent.tool_use" || event.type === "agent.mcp_tool_use") && missing.has(event.id)
        ? { toolUseId: event.id, toolName: event.name, input: event.input }
        : [],
    );
    return asks.toReversed();
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
