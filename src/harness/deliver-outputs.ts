import { SandboxLostError } from "../sandbox/sandbox.ts";
import { changedOutputs, collectOutputs } from "./collect-outputs.ts";
import type { Run } from "./run-session.ts";

/** Before the session is seen to be idle its files are there, also those of a harness that died before this. */
export async function deliverOutputs({ turn, deps, sandbox, signals, logger, resumed }: Run): Promise<void> {
  if (resumed) await sandbox.remains(signals.any);
  const opened = sandbox.current;
  if (!opened) return;
  const session = { sessionId: turn.sessionId, workspaceId: turn.lease.workspaceId };
  try {
    const found = await opened.listOutputs(signals.any);
    if (found.length === 0) return;
    const changed = changedOutputs(found, await deps.files.outputsOf(turn.sessionId));
    if (changed.length === 0) return;
    await turn.commit(); // The answer is seen while its files are fetched.
    await collectOutputs(opened, changed, deps.files, session, logger, signals.any);
  } catch (error) {
    if (!(error instanceof SandboxLostError)) throw error;
    logger.warn("sandbox lost before its outputs were collected");
  }
}
