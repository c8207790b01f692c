import { messageOf } from "../src/errors.ts";
import type { Logger } from "../src/log.ts";
import type { IdleStore, SleepState } from "../src/sandbox/idle-store.ts";
import type { SandboxProvider } from "../src/sandbox/sandbox.ts";
import { type PeriodicTask, startPeriodic } from "./periodic.ts";

const INTERVAL_MS = 10_000;

export interface IdleSandboxesDeps {
  provider: Pick<SandboxProvider, "list" | "pause" | "stop" | "destroy">;
  store: IdleStore;
  /** How long a sandbox goes without use before each, in ms since the session's last event. */
  after: Record<SleepState, number>;
  log: Logger;
}

type Act = (ref: string) => Promise<void>;

/**
 * Takes from idle sandboxes what they don't need: first processor time, then memory, at last the disk. One that is
 * paused or stopped is resumed by whoever attaches it.
 */
export function startIdleSandboxes(deps: IdleSandboxesDeps): PeriodicTask {
  return startPeriodic("idle-sandboxes", INTERVAL_MS, (signal) => putIdleToSleep(deps, signal), deps.log);
}

/** One look at all of them. */
export async function putIdleToSleep(deps: IdleSandboxesDeps, signal: AbortSignal): Promise<void> {
  const { provider, store, after } = deps;
  const acts: [SleepState, Act][] = [
    // The deepest first: what is to be removed need not be paused before.
    ["removed", (ref) => provider.destroy(ref)],
    ["stopped", (ref) => provider.stop(ref)],
    ["paused", (ref) => provider.pause(ref)],
  ];
  for (const [state, act] of acts) {
    const due = await store.due(state, after[state]);
    if (due.length === 0) continue;
    // Of those on this engine: another worker sees to the others.
    const ours = new Set((await provider.list()).map(({ ref }) => ref));
    for (const { sessionId, ref } of due) {
      if (signal.aborted) return;
      if (ours.has(ref)) await putToSleep(deps, sessionId, state, act);
    }
  }
}

async function putToSleep({ store, after, log }: IdleSandboxesDeps, sessionId: string, state: SleepState, act: Act) {
  try {
    const asleep = await store.sleep(sessionId, state, after[state], act);
    if (asleep) log.info({ session_id: sessionId, state }, "idle sandbox put to sleep");
  } catch (error) {
    // The others must not stay awake for one that an engine can't deal with.
    log.warn({ session_id: sessionId, state, error: messageOf(error) }, "idle sandbox not put to sleep");
  }
}
