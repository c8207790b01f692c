import { BadRequestError, NotFoundError, type Anthropic } from "@anthropic-ai/sdk";

export interface ToolConfirmation {
  toolUseId: string;
  decision: "allow" | "deny";
  /** What the agent is told about a denial. */
  denyMessage: string | null;
}

const REQUEST_TIMEOUT_MS = 15_000;
const CONFIRMATIONS_MAX = 1000;

/**
 * Tells a session how a tool call was decided on. Calling it again is harmless: a decision that it has already is not sent
 * twice.
 * @returns false when the session does not ask any more: it was stopped, somebody else decided otherwise, it is gone
 * @throws other API errors, after which the session may or may not know; the signal's reason
 */
export async function confirmTool(
  client: Anthropic,
  sessionId: string,
  { toolUseId, decision, denyMessage }: ToolConfirmation,
  signal: AbortSignal,
): Promise<boolean> {
  const confirmation = {
    type: "user.tool_confirmation" as const,
    tool_use_id: toolUseId,
    result: decision,
    ...(decision === "deny" && denyMessage !== null && { deny_message: denyMessage }),
  };
  try {
    await client.beta.sessions.events.send(
      sessionId,
      { events: [confirmation] },
      // Not repeated by the SDK: it would be told of its own first attempt that nothing is asked any more.
      { signal, timeout: REQUEST_TIMEOUT_MS, maxRetries: 0 },
    );
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    if (!(error instanceof BadRequestError)) throw error;
    return knows(client, sessionId, toolUseId, decision, signal);
  }
}

/** Whether the session was told this before. */
async function knows(
  client: Anthropic,
  sessionId: string,
  toolUseId: string,
  decision: "allow" | "deny",
  signal: AbortSignal,
): Promise<boolean> {
  const { data } = await client.beta.sessions.events.list(
    sessionId,
    { order: "desc", limit: CONFIRMATIONS_MAX, types: ["user.tool_confirmation"] },
    { signal, timeout: REQUEST_TIMEOUT_MS },
  );
  return data.some(
    (event) => event.type === "user.tool_confirmation" && event.tool_use_id === toolUseId && event.result === decision,
  );
}
