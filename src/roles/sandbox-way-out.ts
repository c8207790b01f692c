import { extraCertificates } from "../embedded/extra-certificates.ts";
import { openAuthority } from "../gateway/authority.ts";
import { createAuthorityStore } from "../gateway/authority-store.ts";
import type { GatewayDirsOptions } from "../sandbox/gateway-dirs.ts";
import { openGatewayDir } from "./gateway-dir.ts";
import { openCipher } from "./installation-cipher.ts";
import type { Platform } from "./platform.ts";

/**
 * What sandboxes need to reach the gateway: the folder of their sockets, and whom to trust. Behind a proxy that
 * intercepts TLS, what is tunnelled to them bears the certificates of that proxy, so they trust what this machine does.
 */
export async function openSandboxWayOut({ config, database }: Platform): Promise<GatewayDirsOptions> {
  const [cipher, root] = await Promise.all([openCipher(config), openGatewayDir(config)]);
  const authority = await openAuthority(createAuthorityStore(database.prisma), cipher);
  return { root, caCertificate: `${authority.certificatePem.trim()}\n${await extraCertificates()}` };
}
