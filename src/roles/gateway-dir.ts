import { access, constants, mkdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Config } from "../config.ts";
import { canHoldSocket, socketDirFor } from "../embedded/socket-dir.ts";

type GatewayDirConfig = Pick<Config, "home" | "gateway">;

/** A sandbox's folder and the socket in it. */
const LONGEST = `${"0".repeat(32)}/gateway.sock`;

/**
 * Where the sockets of sandboxes are: made by workers, served by the gateway, so both must be on the engine's host and
 * run as the same user. Closed to everybody else, since whoever reaches a socket is the sandbox it belongs to.
 * @throws Error that names the folder when it is another user's, when others can enter it, or we can't
 */
export async function openGatewayDir(config: GatewayDirConfig): Promise<string> {
  const { dir } = gatewayDirOf(config);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const used = await socketDirFor(dir, { uid, gid }, LONGEST);
  const problem = await gatewayDirProblem(used);
  if (problem) throw new Error(`The folder of sandboxes' sockets can't be used: ${problem.detail}. ${problem.mend}`);
  return used;
}

/** Where they are to be, and whether a socket's path can be as long as that makes it; if not, they are elsewhere. Pure. */
export function gatewayDirOf({ home, gateway }: GatewayDirConfig): { dir: string; isShortEnough: boolean } {
  const dir = gateway.dir ?? path.join(home, "gateway");
  return { dir, isShortEnough: canHoldSocket(dir, LONGEST) };
}

/**
 * What is wrong with a folder for sockets, and what to do; null when nothing is.
 * @throws the system's error when there is none
 */
export async function gatewayDirProblem(dir: string): Promise<{ detail: string; mend: string } | null> {
  const found = await stat(dir);
  if (!found.isDirectory()) return { detail: `${dir} is no folder`, mend: "Remove it, or set DECKHAND_GATEWAY_DIR." };
  const uid = process.getuid?.();
  // Root could use it all the same, and would give its owner every socket.
  if (uid !== undefined && found.uid !== uid) {
    const mend = `Run the worker and the gateway as that user, \`chown ${uid} ${dir}\`, or set DECKHAND_GATEWAY_DIR.`;
    return { detail: `${dir} belongs to uid ${found.uid}, and this is uid ${uid}`, mend };
  }
  if ((found.mode & 0o077) !== 0)
    return { detail: `${dir} can be entered by others`, mend: `Run \`chmod 700 ${dir}\`.` };
  try {
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    return null;
  } catch {
    return { detail: `${dir} can't be read and written`, mend: `Run \`chmod 700 ${dir}\`.` };
  }
}
