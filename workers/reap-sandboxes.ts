import { messageOf } from "../src/errors.ts";
import type { Logger } from "../src/log.ts";
import type { SandboxProvider } from "../src/sandbox/sandbox.ts";
import type { SandboxStore } from "../src/sandbox/sandbox-store.ts";
import { type PeriodicTask, startPeriodic } from "./periodic.ts";

const INTERVAL_MS = 60_000;

export interface ReaperDeps {
  provider: Pick<SandboxProvider, "list" | "destroy">;
  store: Pick<SandboxStore, "endedSessions" | "forgetDeleted">;
  log: Logger;
}

/** Removes the sandboxes of sessions that were deleted or archived, whoever made them: now and then, and before it stops. */
export function startSandboxReaper({ provider, store, log }: ReaperDeps): PeriodicTask {
  const reap = async (signal: AbortSignal | null) => {
    const sandboxes = await provider.list();
    const ended = new Set(await store.endedSessions(sandboxes.map(({ sessionId }) => sessionId)));
    for (const { ref, sessionId } of sandboxes) {
      if (signal?.aborted) return;
      if (!ended.has(sessionId)) continue;
      await provider.destroy(ref);
      log.info({ session_id: sessionId, sandbox: ref }, "sandbox of an ended session removed");
    }
    await store.forgetDeleted();
  };
  const task = startPeriodic("reap-sandboxes", INTERVAL_MS, reap, log);
  let last: Promise<void> | null = null;
  return {
    stop: () =>
      (last ??= task
        .stop()
        .then(() => reap(null))
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, "sandboxes of ended sessions are left"))),
  };
}
