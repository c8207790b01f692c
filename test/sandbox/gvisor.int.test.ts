import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeLoopDisks } from "../../src/sandbox/disk-probe.ts";
import { engineRuntimes, runtimeProblem } from "../../src/sandbox/engine-runtimes.ts";
import type { SandboxDisks } from "../../src/sandbox/sandbox-disks.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { startFakeGateway } from "../fakes/gateway-socket.ts";
import { SANDBOX_IMAGE } from "../support/sandbox-image.ts";
import { shapeOf } from "../support/sandbox-shape.ts";
import { bash, createTestSandboxes, NEVER, newSessionId, run, textOf } from "../support/sandboxes.ts";
import { SILENT } from "../support/silent-log.ts";

const RUNTIME = "runsc";
const MIB = 1024 ** 2;
const SHAPE = { ...shapeOf(SANDBOX_IMAGE, { diskBytes: 64 * MIB }), runtime: RUNTIME };
/** Each start and each system call takes several times as long. */
const TIMEOUT_MS = 120_000;

const sandboxes = createTestSandboxes();
const open = (options: { root: string; disks: SandboxDisks | null; runtime?: string }) =>
  sandboxes
    .provider({ disks: options.disks, gateway: { root: options.root, caCertificate: "" } })
    .provision({ sessionId: newSessionId(), shape: { ...SHAPE, runtime: options.runtime ?? RUNTIME } }, NEVER);
const installed = RUNTIME in (await engineRuntimes(sandboxes.docker));
const root = await mkdtemp(path.join(os.tmpdir(), "gv-"));
afterAll(async () => {
  await sandboxes.removeAll();
  await rm(root, { recursive: true });
});

describe("a runtime that is asked for", () => {
  it("is not replaced by another one when the engine does not have it", async () => {
    const missing = installed ? "runsc-of-nobody" : RUNTIME;
    await expect(open({ root, disks: null, runtime: missing })).rejects.toThrow(
      new RegExp(`^The engine has no runtime ${missing}; it has .*runc.*Add it to the engine`),
    );
    expect(await sandboxes.containerNames()).toEqual([]);
  });

  it.each([
    ["may connect to sockets of the host", ["--network=none", "--host-uds=open"], null],
    ["may, by an older flag", ["-network=none", "--fsgofer-host-uds"], null],
    ["may not", ["--network=none", "--platform=ptrace"], "Add --host-uds=open to"],
    ["may create them only", ["--network=none", "--host-uds=create"], "Add --host-uds=open to"],
    ["has no network of its own", ["--network=host", "--host-uds=open"], "Add --network=none to"],
    ["was told nothing", null, "Add --network=none and --host-uds=open to"],
  ])("is refused when it is gVisor in which sandboxes can't work: it %s", (_, runtimeArgs, mend) => {
    const problem = runtimeProblem("strict", { strict: { path: "/usr/bin/runsc", runtimeArgs } });
    expect(problem?.mend ?? "").toContain(mend ?? "");
    expect(problem === null).toBe(mend === null);
  });
});

describe.each(installed ? [RUNTIME] : [])("a sandbox under %s", { timeout: TIMEOUT_MS }, () => {
  let disksDir: string;
  let disks: SandboxDisks | null;
  let sandbox: Sandbox;
  beforeAll(async () => {
    disksDir = await mkdtemp(path.join(os.tmpdir(), "gv-disks-"));
    const { docker, installationId } = sandboxes;
    const probe = { docker, installationId, dir: disksDir, image: SANDBOX_IMAGE, log: SILENT };
    disks = await probeLoopDisks(probe, NEVER);
    sandbox = await open({ root, disks });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await sandboxes.removeAll();
    for (const slot of (await disks?.list()) ?? []) await disks?.remove(slot);
    await rm(disksDir, { recursive: true });
  }, TIMEOUT_MS);

  it("has a kernel of its own, a root that can't be written to and a disk that can, up to its size", async () => {
    expect(await bash(sandbox, "dmesg")).toContain("Starting gVisor");
    expect(await bash(sandbox, "touch /usr/x 2>&1")).toMatch(/denied|Read-only/);
    expect(await bash(sandbox, "head -c 100M /dev/zero 2>&1 >full; wc -c <full; rm full")).toMatch(
      /No space left[^]*\n(5|6)\d{7}\n$/,
    );
    expect(await bash(sandbox, "ls -A /sys/class/net 2>/dev/null; cat /proc/net/dev")).not.toContain("eth0");
  });

  it("takes uploads, runs the file tools and gives outputs", async () => {
    expect(await givenAndTaken(sandbox)).toEqual(GIVEN_AND_TAKEN);
  });

  it("takes and gives as much without a disk of its own", async () => {
    const plain = await open({ root, disks: null });
    expect(await givenAndTaken(plain)).toEqual(GIVEN_AND_TAKEN);
    await sandboxes.provider().destroy(plain.ref);
  });

  it("reaches the gateway by its socket, also the next gateway's", async () => {
    const folder = path.join(root, sandbox.gatewayId ?? "none");
    for (const name of ["first", "second"]) {
      const gateway = await startFakeGateway(folder, (_, response) => response.end(name));
      expect(await bash(sandbox, "curl -sS -m 20 http://host.test/")).toBe(name);
      await gateway.stop();
    }
  });

  it("gets another runner for one that a tool has killed", async () => {
    await run(sandbox, { op: "bash", command: "kill -9 -1" });
    await expect.poll(() => bash(sandbox, "echo again"), { timeout: TIMEOUT_MS }).toBe("again\n");
  });

  it("is paused and stopped with its files, and goes on from there", async () => {
    const provider = sandboxes.provider({ disks, gateway: { root, caCertificate: "" } });
    await bash(sandbox, "echo kept >/workspace/kept; echo kept >~/kept");
    for (const put of [provider.pause, provider.stop]) {
      await put(sandbox.ref);
      const again = await provider.attach(sandbox.ref, NEVER);
      if (!again) throw new Error("The sandbox can't be attached to again.");
      expect(await bash(again, "cat /workspace/kept ~/kept")).toBe("kept\nkept\n");
    }
  });
});

const GIVEN_AND_TAKEN = { upload: "given", text: "one\nthree\n", outputs: [{ path: "text", size: 10 }] };

async function givenAndTaken(sandbox: Sandbox): Promise<typeof GIVEN_AND_TAKEN> {
  await bash(sandbox, "ls /mnt/session/uploads"); // what it has seen of a folder must not hide what comes later
  await sandbox.putUpload("given.txt", Readable.from("given"), 5, NEVER);
  await sandbox.writeText("/workspace/text", "one\ntwo\n", NEVER);
  await run(sandbox, { op: "edit", file_path: "/workspace/text", old_string: "two", new_string: "three" });
  const text = textOf(await run(sandbox, { op: "read", file_path: "/workspace/text" }));
  await bash(sandbox, "cp text /mnt/session/outputs/");
  const outputs = await sandbox.listOutputs(NEVER);
  return {
    upload: await bash(sandbox, "cat /mnt/session/uploads/given.txt"),
    text,
    outputs: outputs.map(({ path: name, size }) => ({ path: name, size })),
  };
}
