import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { SLOT } from "./labels.ts";

/** Where a sandbox finds the way out. */
export const EGRESS_DIR = "/run/egress";
/** To be mounted at `/etc/hosts`: without its networking the engine leaves that empty, and hides the image's own. */
export const HOSTS_FILE = "hosts";

const HOSTS = "127.0.0.1\tlocalhost sandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/**
 * A folder on the host for each slot, in which the gateway puts its socket. That a request comes by this socket is all
 * that says whose it is, so the folder is made before the container, and no container sees another one's.
 */
export interface GatewayDirs {
  /** Makes sure of the slot's folder, and says where it is. Idempotent. */
  make(slot: string): Promise<string>;
  /** No error when there is none. */
  remove(slot: string): Promise<void>;
  /** The slots that have a folder. */
  list(): Promise<string[]>;
}

export interface GatewayDirsOptions {
  /** On the engine's host; closed to all but its owner. */
  root: string;
  /** PEM; empty when the gateway interrupts no TLS. */
  caCertificate: string;
}

export function createGatewayDirs({ root, caCertificate }: GatewayDirsOptions): GatewayDirs {
  return {
    async make(slot) {
      const folder = folderOf(root, slot);
      await mkdir(root, { recursive: true, mode: 0o700 });
      await mkdir(folder, { recursive: true });
      await chmod(folder, 0o755); // the tools' user must get in, whatever our umask is
      await writeReadable(path.join(folder, HOSTS_FILE), HOSTS);
      if (caCertificate) await writeReadable(path.join(folder, "ca.pem"), caCertificate);
      return folder;
    },

    async remove(slot) {
      await rm(folderOf(root, slot), { recursive: true, force: true });
    },

    async list() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      return (await readdir(root)).filter((name) => SLOT.test(name));
    },
  };
}

async function writeReadable(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  await chmod(file, 0o644);
}

function folderOf(root: string, slot: string): string {
  if (!SLOT.test(slot)) throw new Error(`"${slot}" is not the name of a sandbox's slot.`);
  return path.join(root, slot);
}
