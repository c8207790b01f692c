import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, vi } from "vitest";
import { createLog } from "../../../src/log.ts";
import type { DockerSandboxProvider } from "../../../src/sandbox/docker.ts";
import { INSTALLATION_LABEL } from "../../../src/sandbox/labels.ts";
import type { Sandbox, SandboxLimits } from "../../../src/sandbox/sandbox.ts";
import { openSandboxDisks } from "../../../src/roles/sandbox-disks.ts";
import { type FakeGateway, startFakeGateway } from "../../fakes/gateway-socket.ts";
import { SANDBOX_IMAGE } from "../../support/sandbox-image.ts";
import { shapeOf } from "../../support/sandbox-shape.ts";
import { bash, createTestSandboxes, NEVER, newSessionId, run, textOf } from "../../support/sandboxes.ts";

const MIB = 1024 ** 2;
const DISK_BYTES = 64 * MIB;
/** Of no authority: what matters is that there is one, and that it can't be replaced. */
const CA = "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n";
/** What the gateway of every box answers. */
export const WAY_OUT = "the way out";

/** A sandbox with all that production gives it, and what tells it from others on the host. */
export interface Box {
  sandbox: Sandbox;
  sessionId: string;
  slot: string;
}

export interface BoxRig {
  docker: ReturnType<typeof createTestSandboxes>["docker"];
  /** What holds the folders of all gateways and all disks, on the host. */
  home: string;
  gatewayRoot: string;
  /** False where the machine can make no disks of limited size. */
  hasDisks(): boolean;
  provider: DockerSandboxProvider;
  open(limits?: Partial<SandboxLimits>): Promise<Box>;
  /** Removes all boxes. Fails when a container, volume, network, mount, loop device or file of them is left. */
  close(): Promise<void>;
}

/** Sandboxes as the worker makes them: disks of limited size where there can be some, and a way out. */
export async function createBoxRig(): Promise<BoxRig> {
  const sandboxes = createTestSandboxes();
  const { docker, installationId } = sandboxes;
  const home = await mkdtemp(path.join(os.tmpdir(), "dh-box-"));
  const gatewayRoot = path.join(home, "gateway");
  const gateways: FakeGateway[] = [];
  const disks = await openSandboxDisks(
    { docker, home, image: SANDBOX_IMAGE, installationId, log: createLog("silent") },
    NEVER,
  );
  const provider = sandboxes.provider({ disks, gateway: { root: gatewayRoot, caCertificate: CA } });

  return {
    docker,
    home,
    gatewayRoot,
    hasDisks: () => disks !== null,
    provider,

    async open(limits = {}) {
      const sessionId = newSessionId();
      const shape = shapeOf(SANDBOX_IMAGE, { diskBytes: DISK_BYTES, ...limits });
      const sandbox = await provider.provision({ sessionId, shape }, NEVER);
      const slot = sandbox.gatewayId ?? "";
      gateways.push(await startFakeGateway(path.join(gatewayRoot, slot), (_, response) => response.end(WAY_OUT)));
      return { sandbox, sessionId, slot };
    },

    async close() {
      const volumes = await volumesOf(docker, installationId);
      await Promise.all((await provider.list()).map(({ ref }) => provider.destroy(ref)));
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await sandboxes.removeAll();
      const filters = { label: [`${INSTALLATION_LABEL}=${installationId}`] };
      expect(await docker.listContainers({ all: true, filters })).toEqual([]);
      expect(await docker.listNetworks({ filters })).toEqual([]);
      for (const name of volumes) await expect(docker.getVolume(name).inspect()).rejects.toThrow("no such volume");
      // The kernel gives a loop device back a moment after its last user.
      await vi.waitFor(async () => expect(await hostTraces(home)).toEqual([]), { timeout: 10_000 });
      const left = (await readdir(home, { recursive: true })).filter((name) => /[0-9a-f]{32}/.test(name));
      expect(left).toEqual([]);
      await rm(home, { recursive: true });
    },
  };
}

/** Mounts and loop devices that have to do with what is below `folder`. */
async function hostTraces(folder: string): Promise<string[]> {
  const mounts = await readFile("/proc/self/mounts", "utf8");
  const loops = await promisify(execFile)("losetup", ["--list", "--noheadings", "--output", "BACK-FILE"]);
  return `${mounts}\n${loops.stdout}`.split("\n").filter((line) => line.includes(folder));
}

async function volumesOf(docker: BoxRig["docker"], installationId: string): Promise<string[]> {
  const filters = { label: [`${INSTALLATION_LABEL}=${installationId}`] };
  const containers = await docker.listContainers({ all: true, filters });
  return containers.flatMap(({ Mounts }) => Mounts.flatMap(({ Name }) => (Name ? [Name] : [])));
}

/** What a command as the tools' user comes to. */
export async function attack({ sandbox }: Box, command: string, timeoutMs?: number) {
  const op = { op: "bash", command, ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }) } as const;
  const result = await run(sandbox, op);
  return { isError: result.isError, text: textOf(result) };
}

/** Both do what they are asked to, as if nothing had happened. */
export async function assertUnharmed(...boxes: Box[]): Promise<void> {
  const said = await Promise.all(boxes.map(({ sandbox }) => bash(sandbox, "cd /workspace && echo $((6 * 7)) | cat")));
  expect(said).toEqual(boxes.map(() => "42\n"));
}
