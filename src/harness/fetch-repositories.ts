import type { Sandbox, SandboxResult } from "../sandbox/sandbox.ts";
import { cloneAttempt, cloneFailure } from "./clone-attempt.ts";
import { denialsSince } from "./network-denials.ts";
import type { Run } from "./run-session.ts";
import type { ClonedRepository } from "./session-equipment.ts";
import { unlessAborted } from "./signals.ts";

const QUOTED_CHARS_MAX = 2_000;

/**
 * Clones the session's repositories that its sandbox lacks. One that can't be had is told of, and the session goes on
 * without it until the next message. Stages events, so it is to be awaited to its end.
 * @throws SandboxLostError, the reason of an interrupt, or when this harness must let go
 */
export async function fetchRepositories(run: Run, sandbox: Sandbox): Promise<void> {
  for (const repository of await run.sandbox.missingRepositories()) {
    const callId = cloneAttempt(run.turn.events, repository);
    if (callId !== null) await fetchRepository(run, sandbox, callId, repository);
  }
}

async function fetchRepository(
  run: Run,
  sandbox: Sandbox,
  callId: string,
  { resourceId, url, checkout, mountPath }: ClonedRepository,
): Promise<void> {
  const { signals, turn } = run;
  const since = new Date();
  const cloning = sandbox.call(callId, { op: "clone", url, path: mountPath, checkout }, signals.interrupt);
  const result = await unlessAborted(cloning, signals.letGo);
  if (!result.isError) return run.sandbox.addMounted(resourceId);
  const said = textOf(result).trim().slice(-QUOTED_CHARS_MAX);
  const denials = await denialsSince(run, sandbox, since);
  turn.stage({
    type: "session.error",
    error: {
      type: denials.length > 0 ? "repository_clone_error" : cloneFailure(said),
      message: [`The repository ${url} could not be cloned. ${said}`, ...denials].join("\n"),
      repository_url: url,
      retry_status: { type: "retrying" },
    },
  });
  await turn.commit();
}

const textOf = ({ content }: SandboxResult) =>
  content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
