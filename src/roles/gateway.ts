import { openAuthority } from "../gateway/authority.ts";
import { createAuthorityStore } from "../gateway/authority-store.ts";
import { startGateway } from "../gateway/gateway.ts";
import { createGatewayRequestStore } from "../gateway/gateway-request-store.ts";
import { createInterceptor } from "../gateway/intercept.ts";
import { createScrubbers } from "../gateway/scrub.ts";
import { createPolicySource } from "../gateway/policy-store.ts";
import { createPlaceholders } from "../vaults/placeholder.ts";
import { createSessionVariables } from "../vaults/session-variables-store.ts";
import { createVaultCipher } from "../vaults/vault-cipher.ts";
import { openGatewayDir } from "./gateway-dir.ts";
import { openCipher } from "./installation-cipher.ts";
import { openMasterKey } from "./master-key.ts";
import type { Platform } from "./platform.ts";

export interface RunningGateway {
  /** Connections get a moment to end. Sandboxes that ask meanwhile wait for the next gateway, for a few seconds. */
  stop(): Promise<void>;
}

/** The way out of all sandboxes of this engine's host. One process has it at a time; another can take over at once. */
export async function startGatewayRole({ config, database, log }: Platform): Promise<RunningGateway> {
  const [cipher, { current, previous }, root] = await Promise.all([
    openCipher(config),
    openMasterKey(config),
    openGatewayDir(config),
  ]);
  const authority = await openAuthority(createAuthorityStore(database.prisma), cipher);
  const scrubberFor = createScrubbers();
  return startGateway({
    root,
    policies: createPolicySource(database.pool, {
      cipher,
      placeholders: [current, ...previous].map(createPlaceholders),
      variables: createSessionVariables(database.pool, createVaultCipher(cipher)),
    }),
    interceptor: createInterceptor({ authority, scrubberFor, log }),
    scrubberFor,
    requests: createGatewayRequestStore(database.pool),
    dnsServers: config.gateway.dnsServers,
    allowedNetworks: config.gateway.allowedNetworks,
    hostAddresses: config.gateway.hostAddresses,
    packageHosts: config.gateway.packageHosts,
    limits: { requestsPerMinute: config.gateway.requestsPerMinute, bytesPerHour: config.gateway.bytesPerHour },
    log,
  });
}
