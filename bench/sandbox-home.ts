import path from "node:path";
import { silentProgress } from "../src/cli/progress.ts";
import { loadConfig } from "../src/config.ts";
import { createLog } from "../src/log.ts";
import { openPlatform } from "../src/roles/platform.ts";
import { openSandboxes, type Sandboxes } from "../src/roles/sandboxes.ts";
import { type BareContainers, createBareContainers } from "./bare-containers.ts";
import type { Bench } from "./figure.ts";
import { findInstallation, type Installation } from "./installation.ts";
import { removeContainers } from "./rig.ts";

export interface BenchSandboxes extends Sandboxes {
  installation: Installation;
  /** Of the same image and home. */
  bare: BareContainers;
}

/** Sandboxes as a worker has them, with disks and gateway folders, in a home of their own that is removed with the bench. */
export interface SandboxHome {
  open(poolSize: number): Promise<BenchSandboxes>;
}

export async function openSandboxHome(bench: Bench): Promise<SandboxHome> {
  const home = path.join(bench.dir, "home");
  const given = loadConfig(bench.root);
  const config = { ...given, home, databaseUrl: null, redisUrl: null, gateway: { ...given.gateway, dir: null } };
  const platform = await openPlatform(config, createLog("warn"), bench.signal);
  bench.teardown.add(() => platform.close());
  bench.teardown.add(() => removeContainers(home));
  return {
    async open(poolSize) {
      const sized = { ...platform, config: { ...config, sandbox: { ...config.sandbox, poolSize } } };
      const sandboxes = await openSandboxes(sized, silentProgress, bench.signal);
      bench.teardown.add(() => sandboxes.provider.close());
      const bare = createBareContainers(sandboxes.docker, sandboxes.shape.image, sandboxes.installationId);
      return { ...sandboxes, installation: await findInstallation(home), bare };
    },
  };
}
