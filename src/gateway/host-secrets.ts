import { hostPatternMatches } from "./host-pattern.ts";
import type { RepositorySecret, SandboxPolicy, VariableSecret } from "./sandbox-policy.ts";

/** The part of a policy's secrets that belongs to one host: what may be put in there, and must not come back from it. */
export interface HostSecrets {
  variables: readonly VariableSecret[];
  repositories: readonly RepositorySecret[];
}

/** @param host in lower case */
export function secretsForHost(
  { variables, repositories }: Pick<SandboxPolicy, "variables" | "repositories">,
  host: string,
  port: number,
): HostSecrets {
  return {
    variables: variables.filter(
      ({ hosts }) => hosts?.some((pattern) => hostPatternMatches(pattern, host, port)) ?? true,
    ),
    repositories: repositories.filter((one) => one.host.toLowerCase() === host && one.port === port),
  };
}

/** Whether the TLS of this host has to be looked into. */
export function hasSecrets({ variables, repositories }: HostSecrets): boolean {
  return variables.length > 0 || repositories.some(({ token }) => token !== null);
}
