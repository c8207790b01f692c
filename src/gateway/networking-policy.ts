import type { EnvironmentConfig } from "../schemas/environment.ts";
import type { NetworkingPolicy } from "./sandbox-policy.ts";

/** What is left to a session whose environment is gone. */
const NOTHING: NetworkingPolicy = { type: "limited", allowedHosts: [], packageManagers: false };

/** An environment's networking as the gateway enforces it. MCP servers add no hosts yet: no agent can name any. Pure. */
export function networkingPolicyOf(networking: EnvironmentConfig["networking"] | null): NetworkingPolicy {
  if (networking === null) return NOTHING;
  if (networking.type === "unrestricted") return networking;
  return {
    type: "limited",
    allowedHosts: networking.allowed_hosts,
    packageManagers: networking.allow_package_managers,
  };
}
