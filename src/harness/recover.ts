/** What is left of the sandbox that the session had when its last harness let go. */
export type SandboxRemains = "never_had_one" | "attached" | "lost";

/**
 * What to do with a tool call whose result is missing from the log. Pure.
 *
 * - `run`: the call is committed but can't have started, or the runner's journal can say what came of it. The runner
 *   runs a call at most once, so asking for it again either starts it, waits for it or fetches its result.
 * - `report_unknown`: the sandbox and its journal are gone. The call may have run, so it is not run again.
 *
 * @param orphaned the call was committed by an earlier harness, which may have started it
 */
export function recoverCall(orphaned: boolean, remains: SandboxRemains): "run" | "report_unknown" {
  return orphaned && remains === "lost" ? "report_unknown" : "run";
}
