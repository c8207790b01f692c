import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLog } from "../../src/log.ts";
import { probeLoopDisks } from "../../src/sandbox/disk-probe.ts";
import { newSlot, SLOT_LABEL } from "../../src/sandbox/labels.ts";
import { createLoopDisks } from "../../src/sandbox/loop-disks.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { SANDBOX_IMAGE } from "../support/sandbox-image.ts";
import { shapeOf } from "../support/sandbox-shape.ts";
import { bash, createTestSandboxes, NEVER, newSessionId, run, textOf } from "../support/sandboxes.ts";

const MIB = 1024 ** 2;
const DISK_BYTES = 64 * MIB;
const SHAPE = shapeOf(SANDBOX_IMAGE, { diskBytes: DISK_BYTES });

const execute = promisify(execFile);
const sandboxes = createTestSandboxes();
const dir = await mkdtemp(path.join(tmpdir(), "deckhand-disks-"));
const disks = createLoopDisks(dir);
const provider = () => sandboxes.provider({ disks });
const open = () => provider().provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);

afterAll(async () => {
  await sandboxes.removeAll();
  for (const slot of await disks.list()) await disks.remove(slot);
  await rm(dir, { recursive: true });
});

async function slotOf({ ref }: Sandbox): Promise<string> {
  const { Config } = await sandboxes.docker.getContainer(ref).inspect();
  return Config.Labels[SLOT_LABEL] ?? "";
}

/** What there is of a disk outside its folder: mounts and loop devices. */
async function traces(slot: string): Promise<string[]> {
  const [mounts, loops] = await Promise.all([
    readFile("/proc/self/mounts", "utf8"),
    execute("losetup", ["--list", "--output", "BACK-FILE"]),
  ]);
  return `${mounts}\n${loops.stdout}`.split("\n").filter((line) => line.includes(slot));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

describe("the probe for disks", () => {
  const look = { docker: sandboxes.docker, image: SANDBOX_IMAGE, installationId: sandboxes.installationId };

  it("finds that this process can make them, and leaves nothing behind", async () => {
    expect(await probeLoopDisks({ ...look, dir, log: createLog("info") }, NEVER)).not.toBeNull();
    expect(await disks.list()).toEqual([]);
    expect(await sandboxes.containerNames()).toEqual([]);
    await until(async () => (await traces(dir)).length === 0);
  });

  it("finds that a process whose mounts the engine does not see can't, and leaves nothing behind", async () => {
    const script = path.resolve(import.meta.dirname, "../support/probe-disks.ts");
    const { stdout, stderr } = await execute("unshare", [
      ...["--mount", "--propagation", "private", process.execPath, script],
      ...[dir, SANDBOX_IMAGE, sandboxes.installationId],
    ]);
    expect(JSON.parse(stdout)).toEqual({ found: false });
    expect(stderr).toContain("no disks of limited size");
    expect(await disks.list()).toEqual([]);
    expect(await sandboxes.containerNames()).toEqual([]);
  });
});

describe("a sandbox whose disk is full", () => {
  let sandbox: Sandbox;
  let other: Sandbox;
  beforeAll(async () => {
    [sandbox, other] = await Promise.all([open(), open()]);
  });

  it.each(["/workspace", "/home/agent", "/tmp", "/var/tmp", "/mnt/session/outputs", "/run/deckhand"])(
    "by %s gets no more space, lives on, and takes none from others",
    async (folder) => {
      const filled = await bash(sandbox, `cat /dev/zero >${folder}/fill`);
      expect(filled).toContain("No space left on device");
      expect(await bash(sandbox, "echo alive")).toBe("alive\n");
      expect(await disks.usedBytes(await slotOf(sandbox))).toBeLessThanOrEqual(DISK_BYTES);
      expect(await bash(other, "head -c 20M /dev/zero >a && sync a && rm a && echo ok")).toBe("ok\n");
      expect(await bash(sandbox, `rm ${folder}/fill && head -c 20M /dev/zero >a && rm a && echo ok`)).toBe("ok\n");
    },
  );

  it("counts files that are deleted but open", async () => {
    const hold = "exec 9>/tmp/held; rm /tmp/held; cat /dev/zero >&9; head -c 20M /dev/zero >/workspace/more";
    expect(await bash(sandbox, `bash -c '${hold}'`)).toContain("No space left on device");
    expect(await bash(sandbox, "head -c 20M /dev/zero >a && rm a && echo ok")).toBe("ok\n");
  });

  it("can't have more files than its size allows", async () => {
    const many = "import os\nos.mkdir('m')\nfor i in range(1000000): os.close(os.open(f'm/{i}', os.O_CREAT))";
    expect(await bash(sandbox, `python3 -c "${many}"`)).toContain("No space left on device");
    expect(Number(await bash(sandbox, "ls m | wc -l"))).toBeLessThan(10_000);
    expect(await bash(sandbox, "rm -r m; echo alive >a && cat a")).toBe("alive\n");
  });

  it("gives what it deletes back to the host, and a sparse file takes nothing", async () => {
    await bash(sandbox, "truncate -s 60M sparse; sync; rm -f /tmp/* a");
    const slot = await slotOf(sandbox);
    await until(async () => (await disks.usedBytes(slot)) < 8 * MIB);
    expect(await bash(sandbox, "stat -c %s sparse")).toBe(`${60 * MIB}\n`);
  });
});

it("can write on its disk only, whatever folders its image has open to all", async () => {
  const sandbox = await open();
  expect(await bash(sandbox, "touch /run/lock/x /etc/x /x 2>&1 | grep -c 'Read-only file system'")).toBe("3\n");
  const own = /^\S+ \/(workspace|home\/agent|mnt\/session|tmp|var\/tmp|run\/deckhand) ext4 rw,nosuid,nodev/;
  const mounts = (await bash(sandbox, "grep ' ext4 rw' /proc/mounts")).trim().split("\n");
  expect(mounts.filter((line) => own.test(line))).toHaveLength(6);
  // What the image has in the home is there, as the agent's own.
  expect(await bash(sandbox, "stat -c %U ~ ~/.bashrc /workspace /mnt/session /mnt/session/uploads")).toBe(
    "agent\nagent\nagent\nroot\nroot\n",
  );
});

it("takes uploads, which are root's and read-only", async () => {
  const sandbox = await open();
  await sandbox.putUpload("deep/report.txt", Readable.from("figures"), 7, NEVER);
  expect(await bash(sandbox, "cat /uploads/deep/report.txt; stat -c ' %U %a' /uploads/deep/report.txt")).toBe(
    "figures root 444\n",
  );
  expect((await run(sandbox, { op: "bash", command: "rm -f /uploads/deep/report.txt" })).isError).toBe(true);
});

it("keeps its files while it is stopped, also when the host forgets the mount, and gets it back once", async () => {
  const own = provider();
  const sandbox = await own.provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
  const slot = await slotOf(sandbox);
  await bash(sandbox, "echo kept >/workspace/a; echo kept >~/b; echo kept >/tmp/c");
  await sandbox.detach();
  await own.stop(sandbox.ref);
  await execute("umount", [path.join(dir, slot)]);
  await until(async () => (await traces(slot)).length === 0);

  expect(await Promise.all([disks.ensure(slot), createLoopDisks(dir).ensure(slot)])).toEqual([true, true]);
  expect(await traces(slot)).toHaveLength(2); // one mount, one device
  await execute("umount", [path.join(dir, slot)]);
  const again = await own.attach(sandbox.ref, NEVER);
  expect(again && (await bash(again, "cat /workspace/a ~/b /tmp/c"))).toBe("kept\n".repeat(3));
});

it("is mounted again as the same disk while a container still uses it", async () => {
  const sandbox = await open();
  const slot = await slotOf(sandbox);
  await execute("umount", [path.join(dir, slot)]);
  await bash(sandbox, "echo before >a; sync");
  expect(await disks.ensure(slot)).toBe(true);
  expect(await readFile(path.join(dir, slot, "workspace/a"), "utf8")).toBe("before\n");
  expect(await traces(slot)).toHaveLength(2);
});

it("is repaired when the host went down with it, and counts as gone when it can't be", async () => {
  const slot = newSlot();
  const [image, mounted] = [path.join(dir, `${slot}.img`), path.join(dir, slot)];
  await disks.create(slot, DISK_BYTES);
  await writeFile(path.join(mounted, "tmp/a"), "kept");
  await execute("sync", ["--file-system", mounted]);
  await execute("cp", ["--sparse=always", image, `${image}.crashed`]);
  await execute("umount", [mounted]);
  await rename(`${image}.crashed`, image);
  expect((await execute("dumpe2fs", ["-h", image])).stdout).toMatch(/Filesystem state: +not clean/);
  expect(await disks.ensure(slot)).toBe(true);
  expect(await readFile(path.join(mounted, "tmp/a"), "utf8")).toBe("kept");

  await execute("umount", [mounted]);
  await until(async () => (await traces(slot)).length === 0);
  await writeFile(image, Buffer.alloc(DISK_BYTES));
  expect(await disks.ensure(slot)).toBe(false);
  await disks.remove(slot);
});

it("takes its sandbox with it when it is gone", async () => {
  const own = provider();
  const sandbox = await own.provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
  const slot = await slotOf(sandbox);
  await own.stop(sandbox.ref);
  await disks.remove(slot);
  expect(await disks.ensure(slot)).toBe(false);
  expect(await own.attach(sandbox.ref, NEVER)).toBeNull();
});

it("goes with its container: no mount, no loop device, no volume and no file stays", async () => {
  const own = provider();
  const sandbox = await own.provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
  const slot = await slotOf(sandbox);
  const { Mounts } = await sandboxes.docker.getContainer(sandbox.ref).inspect();
  const volumes = Mounts.flatMap(({ Name }) => (Name ? [Name] : []));
  expect(volumes).toHaveLength(2);
  await own.destroy(sandbox.ref);
  expect((await readdir(dir)).filter((name) => name.startsWith(slot))).toEqual([]);
  await until(async () => (await traces(slot)).length === 0);
  for (const name of volumes)
    await expect(sandboxes.docker.getVolume(name).inspect()).rejects.toThrow("no such volume");
});

it("is removed even while it is in use", async () => {
  const slot = newSlot();
  await disks.create(slot, DISK_BYTES);
  const user = execFile("sleep", ["60"], { cwd: path.join(dir, slot, "tmp") });
  await until(async () => (await execute("readlink", [`/proc/${user.pid}/cwd`])).stdout.includes(slot));
  await disks.remove(slot);
  expect((await readdir(dir)).filter((name) => name.startsWith(slot))).toEqual([]);
  user.kill();
  await until(async () => (await traces(slot)).length === 0);
});

it("leaves nothing behind when it can't be made", async () => {
  const before = await readdir(dir);
  await expect(disks.create(newSlot(), 1024)).rejects.toThrow("mkfs.ext4");
  const cautious = createLoopDisks(dir, { reservedBytes: 1024 ** 5 });
  await expect(cautious.create(newSlot(), DISK_BYTES)).rejects.toThrow("of the 1073741824 MB that are reserved");
  expect(await readdir(dir)).toEqual(before);
  await expect(disks.create("../escape", DISK_BYTES)).rejects.toThrow("slot: must be 32 hex digits");
});

it("is made for twenty sandboxes at once, and claims next to nothing until it is used", async () => {
  const slots = Array.from({ length: 20 }, newSlot);
  await Promise.all(slots.map((slot) => disks.create(slot, 10 * 1024 * MIB)));
  const sizes = await Promise.all(
    slots.map(async (slot) => {
      const { blocks, bsize } = await statfs(path.join(dir, slot));
      return {
        slot,
        gibibytes: (blocks * bsize) / 1024 ** 3,
        used: await disks.usedBytes(slot),
        traces: (await traces(slot)).length,
      };
    }),
  );
  for (const { gibibytes, used, traces: found } of sizes) {
    expect(gibibytes).toBeGreaterThan(9);
    expect(used).toBeLessThan(2 * MIB);
    expect(found).toBe(2);
  }
  await Promise.all(slots.map((slot) => disks.remove(slot)));
  expect(await disks.list()).not.toEqual(expect.arrayContaining(slots));
});

it("gives a call whose result no longer fits on it an answer all the same", async () => {
  const sandbox = await open();
  await bash(sandbox, "cat /dev/zero >fill");
  const result = await run(sandbox, { op: "bash", command: "seq 20000" });
  expect(textOf(result)).toContain("20000");
});
