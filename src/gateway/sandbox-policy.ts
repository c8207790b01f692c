import type { Secret } from "../secrets/secret.ts";

/** What one sandbox may reach, and what is put into its requests on the way. Made anew for each request. */
export interface SandboxPolicy {
  workspaceId: string;
  /** Null for the build of an environment, which belongs to no session. */
  sessionId: string | null;
  networking: NetworkingPolicy;
  variables: readonly VariableSecret[];
  repositories: readonly RepositorySecret[];
}

export type NetworkingPolicy =
  /** Every public host. */
  | { type: "unrestricted" }
  | {
      type: "limited";
      /** `HostPattern`s: `example.com`, `*.example.com`, each also with `:port`; MCP servers' hosts included where allowed. */
      allowedHosts: readonly string[];
      /** The public registries, and the mirrors that the operator named. */
      packageManagers: boolean;
    };

/** A credential of type `environment_variable`. */
export interface VariableSecret {
  credentialId: string;
  /** What the sandbox has in its place. */
  placeholder: string;
  secret: Secret;
  /** `HostPattern`s; null for every host that the environment allows. */
  hosts: readonly string[] | null;
  inHeaders: boolean;
  inBody: boolean;
}

/** A `github_repository` resource. Its own paths may be reached whatever the networking says. */
export interface RepositorySecret {
  resourceId: string;
  host: string;
  port: number;
  /** `/owner/name`, without `.git` and without a slash at the end. */
  path: string;
  /** Null for a public one. */
  token: Secret | null;
}

export interface PolicySource {
  /** Null when no session and no build has this socket now: nothing may pass then. */
  find(gatewayId: string): Promise<SandboxPolicy | null>;
}
