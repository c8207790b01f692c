import type { Sandbox } from "../sandbox/sandbox.ts";
import { fetchRepositories } from "./fetch-repositories.ts";
import type { Run } from "./run-session.ts";
import { unlessAborted } from "./signals.ts";

/**
 * The session's sandbox with all that the session gives it: found, or made as its environment says, which may have to be
 * built first. Stages events of what people should know of that, so it is to be awaited to its end.
 * @throws EnvironmentBuildError, SandboxLostError, the reason of an interrupt, or when this harness must let go
 */
export async function openSandbox(run: Run): Promise<Sandbox> {
  const { sandbox, signals } = run;
  const remains = await unlessAborted(sandbox.remains(signals.any), signals.any);
  const shape = remains === "attached" ? null : await shapeOf(run);
  const opened = await unlessAborted(sandbox.open(shape, signals.any), signals.any);
  if (shape !== null) await tellUnreachable(run);
  await fetchRepositories(run, opened);
  return opened;
}

/** It is not left alone when it is cut short: what it says of a build must not come between later events. */
function shapeOf({ deps, turn, signals }: Run) {
  const session = { sessionId: turn.sessionId, workspaceId: turn.lease.workspaceId };
  return deps.sandboxes.environments.shapeFor(session, {
    signal: signals.any,
    async onBuild(build) {
      signals.any.throwIfAborted();
      turn.stage({ type: "deckhand.environment_build", ...build });
      await turn.commit();
    },
  });
}

async function tellUnreachable({ sandbox, turn }: Run): Promise<void> {
  const { variables } = await sandbox.equipment();
  for (const { credentialId, vaultId, name, unreachableHosts } of variables) {
    if (unreachableHosts.length === 0) continue;
    turn.stage({
      type: "session.error",
      error: {
        type: "credential_host_unreachable_error",
        message: `The environment's networking does not allow ${unreachableHosts.join(", ")}, where \`${name}\` is for.`,
        credential_id: credentialId,
        vault_id: vaultId,
        retry_status: { type: "retrying" },
      },
    });
  }
  await turn.commit();
}
