import { execFile } from "node:child_process";
import { chmod, chown, lstat, mkdir, open, readdir, rename, rm, rmdir, statfs, truncate } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { messageOf } from "../errors.ts";
import { newSlot, SLOT } from "./labels.ts";
import type { DiskMount, SandboxDisks } from "./sandbox-disks.ts";

/** What the host keeps for itself: its engine and databases fail in worse ways than a sandbox that isn't made. */
export const RESERVED_BYTES = 2 * 1024 ** 3;
/** A package tree of a language has files of about this size at the median; fewer inodes would run out before the space. */
const BYTES_PER_INODE = 8192;
/** To be raised when blank disks are to be made in another way: those of before stay behind, unused. */
const BLANK_VERSION = 1;
const PROGRAM_TIMEOUT_MS = 20_000;
const CHECK_TIMEOUT_MS = 120_000;
const ROOT = 0;
const TOOL_USER_ID = 1000;
/** A service's PATH may lack the folders of administration programs. */
const PROGRAM_ENV = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

interface Folder {
  name: string;
  owner: number;
  mode: number;
  target?: string;
  seeded?: boolean;
}

/** Everything that the tools' user may write to, and the uploads, which count as well. */
const FOLDERS: Folder[] = [
  { name: "workspace", owner: TOOL_USER_ID, mode: 0o755, target: "/workspace", seeded: true },
  { name: "home", owner: TOOL_USER_ID, mode: 0o755, target: "/home/agent", seeded: true },
  { name: "session", owner: ROOT, mode: 0o755, target: "/mnt/session" },
  { name: "session/uploads", owner: ROOT, mode: 0o755 },
  { name: "session/outputs", owner: TOOL_USER_ID, mode: 0o755 },
  { name: "tmp", owner: ROOT, mode: 0o1777, target: "/tmp" },
  { name: "vartmp", owner: ROOT, mode: 0o1777, target: "/var/tmp" },
  { name: "run", owner: TOOL_USER_ID, mode: 0o755, target: "/run/deckhand" },
];

/** Deleted files give their space back to the host at once; the kernel's zeroing of unused inodes would claim it. */
const MOUNT_OPTIONS = "loop,nosuid,nodev,noatime,discard,noinit_itable";

/**
 * A disk without a journal that was in use when the host went down has to be checked first. One that still has a loop
 * device is in use by a container: checking it would destroy it, and mounting it takes the device it has. Those who come
 * at once take turns, under a lock, or they would get a device each.
 */
const ENSURE = `mountpoint -q "$2" && exit 0
if [ -z "$(losetup -j "$1")" ]; then
  e2fsck -y "$1"
  found=$?
  [ $found -lt 4 ] || [ $found -ge 16 ] || exit 44
  [ $found -lt 4 ] || exit $found
fi
exec mount -t ext4 -o ${MOUNT_OPTIONS} "$1" "$2"`;
const DAMAGED = 44;

const run = promisify(execFile);

/**
 * Disks that are sparse files in `dir` (`<slot>.img`) with a file system in them, mounted through loop devices at
 * `<slot>/`. Needs root on the engine's host and the programs of util-linux and e2fsprogs. Makes none when the host has
 * less than `reservedBytes` left.
 */
export function createLoopDisks(dir: string, { reservedBytes = RESERVED_BYTES } = {}): SandboxDisks {
  /** By their sizes. */
  const blanks = new Map<number, Promise<string>>();

  return {
    async create(slot, bytes) {
      const { image, mountPoint } = pathsOf(slot);
      await assertSpace();
      const blank = await blankOf(bytes);
      await undoneOnFailure(slot, async () => {
        await program("cp", ["--sparse=always", blank, image]);
        await mount(image, mountPoint);
      });
      return mountsOf(mountPoint);
    },

    async ensure(slot) {
      const { image, mountPoint } = pathsOf(slot);
      if (!(await exists(image))) return false;
      await mkdir(mountPoint, { recursive: true, mode: 0o700 });
      if (await isMounted(mountPoint)) return true;
      try {
        await program("flock", [image, "sh", "-c", ENSURE, "sh", image, mountPoint], CHECK_TIMEOUT_MS);
        return true;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === DAMAGED) return false;
        throw error;
      }
    },

    remove,

    async list() {
      const names = await readdir(dir).catch(orNothing<string[]>([]));
      const slots = names.map((name) => name.replace(/\.img$/, "")).filter((name) => SLOT.test(name));
      return [...new Set(slots)];
    },

    async usedBytes(slot) {
      const stat = await lstat(pathsOf(slot).image).catch(orNothing(null));
      return stat === null ? 0 : stat.blocks * 512;
    },

    freeBytes,
  };

  async function freeBytes(): Promise<number> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  }

  async function assertSpace(): Promise<void> {
    const free = await freeBytes();
    if (free >= reservedBytes) return;
    const left = `${megabytes(free)} MB left of the ${megabytes(reservedBytes)} MB that are reserved`;
    throw new Error(`No disk for another sandbox: ${dir} has ${left}.`);
  }

  /** A formatted disk with nothing but its folders: copying its few blocks takes a third of the time that making them takes. */
  function blankOf(bytes: number): Promise<string> {
    const known = blanks.get(bytes) ?? findOrMakeBlank(bytes);
    blanks.set(bytes, known);
    known.catch(() => blanks.delete(bytes));
    return known;
  }

  async function findOrMakeBlank(bytes: number): Promise<string> {
    const blank = path.join(dir, `blank-${BLANK_VERSION}-${bytes}`);
    if (await exists(blank)) return blank;
    // Under a slot of its own, so that what a process leaves that dies meanwhile is found as one without a container.
    const slot = newSlot();
    const { image, mountPoint } = pathsOf(slot);
    await undoneOnFailure(slot, async () => {
      await truncate(image, bytes);
      await format(image);
      await mount(image, mountPoint);
      await makeFolders(mountPoint);
      await unmount(mountPoint);
      await rename(image, blank);
    });
    await remove(slot);
    return blank;
  }

  /** Runs `make` with an empty image of the slot, made by nobody else: what becomes of it is this call's alone to undo. */
  async function undoneOnFailure(slot: string, make: () => Promise<void>): Promise<void> {
    const { image, mountPoint } = pathsOf(slot);
    await (await open(image, "wx", 0o600)).close();
    try {
      await mkdir(mountPoint, { mode: 0o700 });
      await make();
    } catch (error) {
      // What can't be removed now is found later, as a slot without a container.
      await remove(slot).catch(() => {});
      throw error;
    }
  }

  async function remove(slot: string): Promise<void> {
    const { image, mountPoint } = pathsOf(slot);
    while (await isMounted(mountPoint)) await unmount(mountPoint);
    // By no means recursively: below it may be what is still mounted.
    await rmdir(mountPoint).catch(orNothing(undefined));
    await rm(image, { force: true });
  }

  function pathsOf(slot: string): { image: string; mountPoint: string } {
    if (!SLOT.test(slot)) throw new Error(`slot: must be 32 hex digits, not ${JSON.stringify(slot)}`);
    return { image: path.join(dir, `${slot}.img`), mountPoint: path.join(dir, slot) };
  }
}

async function mount(image: string, mountPoint: string): Promise<void> {
  await program("mount", ["-t", "ext4", "-o", MOUNT_OPTIONS, image, mountPoint]);
}

/** No journal: the disk of a host that went down is checked instead, and each write is written once. */
async function format(image: string): Promise<void> {
  await program("mkfs.ext4", [
    ...["-q", "-F", "-m", "0", "-b", "4096", "-I", "256", "-i", String(BYTES_PER_INODE)],
    // Growing it later is never wanted, and room for that is the largest part of an empty disk.
    ...["-O", "^has_journal,^resize_inode"],
    ...["-E", "lazy_itable_init=1,nodiscard,root_owner=0:0"],
    image,
  ]);
}

async function makeFolders(mountPoint: string): Promise<void> {
  for (const { name, owner, mode } of FOLDERS) {
    const folder = path.join(mountPoint, name);
    await mkdir(folder);
    await chown(folder, owner, owner);
    await chmod(folder, mode);
  }
}

function mountsOf(mountPoint: string): DiskMount[] {
  return FOLDERS.flatMap(({ name, target, seeded = false }) =>
    target === undefined ? [] : [{ source: path.join(mountPoint, name), target, seeded }],
  );
}

/** A mounted folder is on another device than the one above it. */
async function isMounted(mountPoint: string): Promise<boolean> {
  const inside = await lstat(mountPoint).catch(orNothing(null));
  return inside !== null && inside.dev !== (await lstat(path.dirname(mountPoint))).dev;
}

async function unmount(mountPoint: string): Promise<void> {
  try {
    await program("umount", [mountPoint]);
  } catch (error) {
    if (!(await isMounted(mountPoint))) return;
    if (!messageOf(error).includes("busy")) throw error;
    await program("umount", ["--lazy", mountPoint]);
  }
}

async function program(name: string, parameters: string[], timeoutMs = PROGRAM_TIMEOUT_MS): Promise<void> {
  await run(name, parameters, { env: PROGRAM_ENV, timeout: timeoutMs, killSignal: "SIGKILL" });
}

async function exists(file: string): Promise<boolean> {
  return (await lstat(file).catch(orNothing(null))) !== null;
}

/** For `catch`: `nothing` in place of what does not exist; other errors go on. */
function orNothing<Nothing>(nothing: Nothing) {
  return (error: unknown): Nothing => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return nothing;
    throw error;
  };
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 1024 ** 2);
}
