import { networkingPolicyOf } from "../gateway/networking-policy.ts";
import { unreachableHosts } from "../gateway/unreachable-hosts.ts";
import type { PlaceholderVariable, SessionEquipment } from "../harness/session-equipment.ts";
import type { EquipmentStore, StoredEquipment } from "../sessions/equipment-store.ts";
import type { PlaceholderOf } from "../vaults/placeholder.ts";
import type { SessionCredentials } from "../vaults/session-credentials.ts";

interface Dependencies {
  store: EquipmentStore;
  variables: Pick<SessionCredentials, "variables">;
  placeholders: PlaceholderOf;
  /** What environments with package managers may reach besides their own hosts: `HostPattern`s. */
  packageHosts: readonly string[];
}

/** The harness's view of what a session gives its sandbox. No secret is in it. */
export function createSessionEquipment(dependencies: Dependencies): SessionEquipment {
  return {
    async of(session) {
      const stored = await dependencies.store.equipmentOf(session);
      return {
        files: stored.resources.flatMap(({ fileId, resourceId, mountPath }) =>
          fileId === null ? [] : [{ resourceId, fileId, mountPath }],
        ),
        repositories: stored.resources.flatMap(({ repository, resourceId, mountPath }) =>
          repository === null ? [] : [{ resourceId, mountPath, url: repository.url, checkout: repository.checkout }],
        ),
        variables: await variablesOf(session, stored, dependencies),
        networking: stored.networking ?? NO_HOSTS,
      };
    },
  };
}

/** Of an environment that is gone. */
const NO_HOSTS = {
  type: "limited" as const,
  allowed_hosts: [],
  allow_mcp_servers: false,
  allow_package_managers: false,
};

async function variablesOf(
  { sessionId, workspaceId }: { sessionId: string; workspaceId: string },
  { vaultIds, networking }: StoredEquipment,
  { placeholders, packageHosts, ...dependencies }: Dependencies,
): Promise<PlaceholderVariable[]> {
  if (vaultIds.length === 0) return [];
  const policy = networkingPolicyOf(networking);
  const variables = await dependencies.variables.variables(workspaceId, vaultIds);
  return variables.map(({ credentialId, vaultId, secretName, hosts }) => ({
    credentialId,
    vaultId,
    name: secretName,
    placeholder: placeholders(sessionId, credentialId),
    hosts,
    unreachableHosts: hosts === null ? [] : unreachableHosts(hosts, policy, packageHosts),
  }));
}
