import path from "node:path";
import type Docker from "dockerode";
import { z } from "zod";
import { engineCall } from "./engine.ts";

/** As the engine tells of them. One that is a containerd shim says nothing of its arguments. */
const Runtimes = z.record(
  z.string(),
  z.object({ path: z.string().optional(), runtimeArgs: z.array(z.string()).nullish() }),
);
export type EngineRuntimes = z.output<typeof Runtimes>;

const EngineInfo = z.object({ Runtimes });

/**
 * What gVisor has to be told. The engine gives sandboxes a network namespace without a name, which gVisor takes for the
 * host's: without the first it does not start, and `--network=host` leaves it without a loopback interface.
 */
const GVISOR_NEEDS = [
  { flag: "--network=none", given: /^--?network=none$/, lack: "would not start, or have no loopback interface" },
  // The second form is that of older releases.
  {
    flag: "--host-uds=open",
    given: /^--?(host-uds=(open|all)|fsgofer-host-uds(=true)?)$/,
    lack: "could not reach the gateway",
  },
];

export interface RuntimeProblem {
  detail: string;
  /** What to do about it, but for choosing another one. */
  mend: string;
}

export async function engineRuntimes(docker: Docker, signal?: AbortSignal): Promise<EngineRuntimes> {
  const info = await engineCall("info", () => docker.info(), { ...(signal ? { signal } : {}) });
  return EngineInfo.parse(info).Runtimes;
}

/** What keeps sandboxes from running by the runtime of that name; null when nothing is known that does. Pure. */
export function runtimeProblem(name: string, runtimes: EngineRuntimes): RuntimeProblem | null {
  const runtime = Object.hasOwn(runtimes, name) ? runtimes[name] : undefined;
  if (!runtime) {
    const detail = `the engine has no runtime ${name}; it has ${Object.keys(runtimes).join(", ")}`;
    return { detail, mend: "Add it to the engine" };
  }
  const args = runtime.runtimeArgs ?? [];
  const missing =
    path.basename(runtime.path ?? "") === "runsc"
      ? GVISOR_NEEDS.filter(({ given }) => !args.some((arg) => given.test(arg)))
      : [];
  if (missing.length === 0) return null;
  const flags = missing.map(({ flag }) => flag).join(" and ");
  return {
    detail: `the runtime ${name} is gVisor without ${flags}: a sandbox ${missing.map(({ lack }) => lack).join(" and ")}`,
    mend: `Add ${flags} to the runtimeArgs of ${name} in the engine's daemon.json, and reload the engine`,
  };
}

/** @throws Error with what to do when sandboxes can't run by it; `setting` is what names it */
export function assertRuntime(name: string, runtimes: EngineRuntimes, setting: string): void {
  const problem = runtimeProblem(name, runtimes);
  if (!problem) return;
  const [first = "", ...rest] = problem.detail;
  throw new Error(`${first.toUpperCase()}${rest.join("")}. ${problem.mend}, or mend or unset ${setting}.`);
}
