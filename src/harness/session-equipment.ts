import type { EnvironmentConfig } from "../schemas/environment.ts";
import type { RepositoryCheckout } from "../schemas/resource.ts";

export interface MountedFile {
  /** Of the session resource. */
  resourceId: string;
  fileId: string;
  /** Absolute, below `/mnt/session/uploads`. */
  mountPath: string;
}

export interface ClonedRepository {
  /** Of the session resource. */
  resourceId: string;
  /** Without credentials. */
  url: string;
  checkout: RepositoryCheckout | null;
  /** Absolute. */
  mountPath: string;
}

/** A credential as the tools see it: a variable whose value the gateway replaces in requests to the credential's hosts. */
export interface PlaceholderVariable {
  credentialId: string;
  vaultId: string;
  name: string;
  placeholder: string;
  /** Null for every host that the environment allows. */
  hosts: readonly string[] | null;
  /** Of the hosts, those that the environment does not allow. */
  unreachableHosts: readonly string[];
}

/** What a session gives its sandbox. */
export interface Equipment {
  files: readonly MountedFile[];
  repositories: readonly ClonedRepository[];
  variables: readonly PlaceholderVariable[];
  networking: EnvironmentConfig["networking"];
}

export interface SessionEquipment {
  /** As it is now. */
  of(session: { sessionId: string; workspaceId: string }): Promise<Equipment>;
}
