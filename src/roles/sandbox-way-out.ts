import { openAuthority } from "../gateway/authority.ts";
import { createAuthorityStore } from "../gateway/authority-store.ts";
import type { GatewayDirsOptions } from "../sandbox/gateway-dirs.ts";
import { openGatewayDir } from "./gateway-dir.ts";
import { openCipher } from "./installation-cipher.ts";
import type { Platform } from "./platform.ts";

/** What sandboxes need to reach the gateway: the folder of their sockets, and whom to trust. */
export async function openSandboxWayOut({ config, database }: Platform): Promise<GatewayDirsOptions> {
  const [cipher, root] = await Promise.all([openCipher(config), openGatewayDir(config)]);
  const authority = await openAuthority(createAuthorityStore(database.prisma), cipher);
  return { root, caCertificate: authority.certificatePem };
}
