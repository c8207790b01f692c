import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Config } from "../config.ts";
import { socketDirFor } from "../embedded/socket-dir.ts";

/** A sandbox's folder and the socket in it. */
const LONGEST = `${"0".repeat(32)}/gateway.sock`;

/**
 * Where the sockets of sandboxes are: made by workers, served by the gateway, so both must be on the engine's host and
 * run as the same user. Closed to everybody else, since whoever reaches a socket is the sandbox it belongs to.
 * @throws Error that names a folder which others can enter
 */
export async function openGatewayDir({ home, gateway }: Pick<Config, "home" | "gateway">): Promise<string> {
  const dir = gateway.dir ?? path.join(home, "gateway");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return socketDirFor(dir, { uid, gid }, LONGEST);
}
