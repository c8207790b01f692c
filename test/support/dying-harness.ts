import { expect } from "vitest";
import type { CrashPointName } from "../../src/harness/crash-points.ts";
import type { HarnessDeps } from "../../src/harness/run-session.ts";
import { gate } from "../fakes/messages-answer.ts";
import type { HarnessRig } from "./harness-rig.ts";

export const NEVER = new Promise<never>(() => undefined);

/** A harness that freezes at the given moment, as a killed process does: from then on nothing of it reaches the database. */
export function dyingHarness(rig: HarnessRig, at: (name: CrashPointName) => boolean) {
  const dead = gate();
  let frozen = false;
  const unlessFrozen = <Value>(work: () => Promise<Value>) => (frozen ? NEVER : work());
  const overrides: Partial<HarnessDeps> = {
    owner: "harness-dying",
    log: { ...rig.log, append: (request) => unlessFrozen(() => rig.log.append(request)) },
    leases: { ...rig.leases, renew: (fence) => unlessFrozen(() => rig.leases.renew(fence)) },
    crashPoint: (name) => {
      if (!at(name)) return Promise.resolve();
      frozen = true;
      dead.reach();
      return NEVER;
    },
  };
  return { overrides, dead: dead.reached };
}

/** Runs the session until its harness dies at that moment; then its time is over and somebody should look. */
export async function dieAt(rig: HarnessRig, id: string, at: (name: CrashPointName) => boolean): Promise<void> {
  const { overrides, dead } = dyingHarness(rig, at);
  void rig.runSession(id, overrides); // It never ends.
  await dead;
  await rig.expireLease(id);
  expect(await rig.leases.abandoned(1_000)).toContain(id);
}
