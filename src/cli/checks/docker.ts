import type Docker from "dockerode";
import { z } from "zod";
import { canInstallPackages } from "../../embedded/apt.ts";
import { adviceFor, ping } from "../../embedded/docker-engine.ts";
import { hasImage } from "../../embedded/engine-image.ts";
import { sandboxImageTag } from "../../embedded/sandbox-image.ts";
import { engineCall } from "../../sandbox/engine.ts";
import { type EngineRuntimes, engineRuntimes, runtimeProblem } from "../../sandbox/engine-runtimes.ts";
import type { CheckContext, Finding } from "./finding.ts";
import { clockFinding, diskFinding } from "./machine.ts";

const EngineInfo = z.object({
  ServerVersion: z.string(),
  DockerRootDir: z.string(),
  CgroupVersion: z.string().optional(),
  MemoryLimit: z.boolean(),
  PidsLimit: z.boolean(),
  CpuCfsQuota: z.boolean(),
  SystemTime: z.coerce.date(),
});

/** The engine, whether it can hold sandboxes to their limits, its disk, and the sandbox image. */
export async function checkDocker(context: CheckContext): Promise<Finding[]> {
  const { docker, reason } = await ping(context.config.dockerHost, context.signal);
  if (!docker) return [await absentEngine(reason, context.config.dockerHost)];
  const asked = new Date();
  const info = EngineInfo.parse(await engineCall("info", () => docker.info(), { signal: context.signal }));
  const findings: Finding[] = [
    { state: "ok", subject: "Docker engine", detail: `${info.ServerVersion}, cgroup v${info.CgroupVersion ?? "1"}` },
    clockFinding("the Docker engine", info.SystemTime, asked),
    await imageFinding(docker, context),
  ];
  const { runtime } = context.config.sandbox;
  if (runtime !== null) findings.push(runtimeFinding(runtime, await engineRuntimes(docker, context.signal)));
  const missing = (["MemoryLimit", "PidsLimit", "CpuCfsQuota"] as const).filter((limit) => !info[limit]);
  if (missing.length > 0) {
    findings.push({
      state: "warn",
      subject: "Sandbox limits",
      detail: `this kernel does not enforce ${missing.join(", ")}`,
      mend: "Turn on the cgroup controllers memory, pids and cpu, or accept that a sandbox can use up the machine.",
    });
  }
  if (context.config.dockerHost === null || context.config.dockerHost.startsWith("unix://")) {
    findings.push(await diskFinding("Disk (Docker)", info.DockerRootDir));
  }
  return findings;
}

function runtimeFinding(runtime: string, runtimes: EngineRuntimes): Finding {
  const subject = "Sandbox runtime";
  const problem = runtimeProblem(runtime, runtimes);
  if (!problem) return { state: "ok", subject, detail: runtime };
  const mend = `${problem.mend}, or unset DECKHAND_SANDBOX_RUNTIME.`;
  return { state: "fail", subject, detail: problem.detail, mend };
}

async function absentEngine(reason: string, dockerHost: string | null): Promise<Finding> {
  const subject = "Docker engine";
  const detail = `does not answer (${reason})`;
  if (dockerHost !== null)
    return { state: "fail", subject, detail, mend: `Start it, or unset DOCKER_HOST=${dockerHost}.` };
  if (await canInstallPackages()) {
    return {
      state: "warn",
      subject,
      detail,
      mend: "`./deckhand up` installs it with apt where it is missing, and starts it.",
    };
  }
  return { state: "fail", subject, detail, mend: adviceFor(reason) };
}

async function imageFinding(docker: Docker, { config, signal }: CheckContext): Promise<Finding> {
  const tag = config.sandbox.image ?? (await sandboxImageTag());
  const subject = "Sandbox image";
  if (await hasImage(docker, tag, signal)) return { state: "ok", subject, detail: tag };
  if (config.sandbox.image) {
    return { state: "fail", subject, detail: `${tag} is not there`, mend: "Load it, or unset DECKHAND_SANDBOX_IMAGE." };
  }
  return {
    state: "warn",
    subject,
    detail: `${tag} is not built yet`,
    mend: "`./deckhand up` builds it; it takes minutes, once.",
  };
}
