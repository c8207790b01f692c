import { access, constants } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { ping } from "../../embedded/docker-engine.ts";
import { engineCall } from "../../sandbox/engine.ts";
import type { CheckContext, Finding } from "./finding.ts";

const EngineInfo = z.object({ DockerRootDir: z.string() });

const PROGRAMS = ["mount", "umount", "losetup", "flock", "mkfs.ext4", "e2fsck"];
const PROGRAM_DIRS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const LOOP_CONTROL = "/dev/loop-control";

/**
 * Whether each sandbox can have a disk of limited size, as far as it can be told without making one: the worker tries at
 * its start, and then knows.
 */
export async function checkSandboxDisks({ config, signal }: CheckContext): Promise<Finding[]> {
  const subject = "Sandbox disks";
  const lacks = await lackOf(config.dockerHost, signal);
  if (lacks === null) return [{ state: "ok", subject, detail: `of ${config.sandbox.diskMb} MB each, by loop devices` }];
  return [
    {
      state: "warn",
      subject,
      detail: `${lacks.why}: what each has written is looked at every few seconds, and one that goes over is ended`,
      mend: `${lacks.mend}, or give the engine a disk of its own.`,
    },
  ];
}

async function lackOf(dockerHost: string | null, signal: AbortSignal): Promise<{ why: string; mend: string } | null> {
  const onHost = "Run the worker as root on the engine's host";
  if (dockerHost !== null && !dockerHost.startsWith("unix://"))
    return { why: "the engine is on another machine", mend: onHost };
  if (process.platform !== "linux") return { why: "they need Linux", mend: onHost };
  if (process.getuid?.() !== 0) return { why: "they need root", mend: onHost };
  if (!(await isEngineHere(dockerHost, signal)))
    return { why: "the engine does not see what is mounted here, as in a container", mend: onHost };
  if (!(await canUse(LOOP_CONTROL)))
    return { why: `there is no ${LOOP_CONTROL}`, mend: "Load the kernel's module loop" };
  const missing = (await Promise.all(PROGRAMS.map(async (name) => ((await isProgram(name)) ? [] : [name])))).flat();
  if (missing.length === 0) return null;
  return { why: `${missing.join(", ")} not found`, mend: "Install util-linux, mount and e2fsprogs" };
}

/** An engine that does not answer is another check's to tell. */
async function isEngineHere(dockerHost: string | null, signal: AbortSignal): Promise<boolean> {
  const { docker } = await ping(dockerHost, signal);
  if (!docker) return true;
  const { DockerRootDir } = EngineInfo.parse(await engineCall("info", () => docker.info(), { signal }));
  return canUse(DockerRootDir);
}

async function isProgram(name: string): Promise<boolean> {
  const found = PROGRAM_DIRS.map((dir) => canUse(path.join(dir, name), constants.X_OK));
  return (await Promise.all(found)).includes(true);
}

async function canUse(file: string, mode = constants.F_OK): Promise<boolean> {
  return access(file, mode).then(
    () => true,
    () => false,
  );
}
