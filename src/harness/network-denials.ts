import { messageOf } from "../errors.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { denialLines } from "./denied-requests.ts";
import type { Run } from "./run-session.ts";

/** What the gateway refused a sandbox since then, in lines for whoever reads. None when that can't be found out. */
export async function denialsSince({ deps, turn, logger }: Run, sandbox: Sandbox, since: Date): Promise<string[]> {
  if (sandbox.gatewayId === null) return [];
  try {
    return denialLines(await deps.deniedRequests.deniedSince(turn.sessionId, since));
  } catch (error) {
    // The call itself is over: its result counts, with or without them.
    logger.warn({ error: messageOf(error) }, "refused requests not looked up");
    return [];
  }
}
