import type { Secret } from "../secrets/secret.ts";

/** An `environment_variable` credential that counts for a session, with its value. */
export interface SessionVariable {
  credentialId: string;
  vaultId: string;
  secretName: string;
  value: Secret;
  /** Null for every host that the environment allows. */
  hosts: readonly string[] | null;
  injection: { header: boolean; body: boolean };
}

/** The credentials of the vaults that a session names; of two for the same thing, the one of the vault named first counts. */
export interface SessionCredentials {
  /** As they are now; decrypted values are kept in memory for as long as the credential has not changed. */
  variables(workspaceId: string, vaultIds: readonly string[]): Promise<SessionVariable[]>;
  /**
   * What to send to this MCP server as a bearer token, refreshed when it is about to expire; null when no vault has one.
   * @param rejected a token that the server has just answered with 401, so that another one is fetched
   * @throws CredentialError when there is one and no working token can be had
   */
  bearerFor(
    workspaceId: string,
    vaultIds: readonly string[],
    mcpServerUrl: string,
    rejected?: Secret,
  ): Promise<Secret | null>;
}

/** A credential that does not work any more. The message says what to do and holds nothing of it. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
  readonly credentialId: string;

  constructor(message: string, credentialId: string, options?: ErrorOptions) {
    super(message, options);
    this.credentialId = credentialId;
  }
}
