import type pg from "pg";
import { z } from "zod";
import { EnvironmentConfig } from "../schemas/environment.ts";
import { RepositorySettings } from "../schemas/resource.ts";
import { Secret } from "../secrets/secret.ts";
import type { SecretCipher } from "../secrets/secret-cipher.ts";
import { tokenContext } from "../sessions/repository-token.ts";
import type { PlaceholderOf } from "../vaults/placeholder.ts";
import type { SessionCredentials, SessionVariable } from "../vaults/session-credentials.ts";
import type {
  NetworkingPolicy,
  PolicySource,
  RepositorySecret,
  SandboxPolicy,
  VariableSecret,
} from "./sandbox-policy.ts";

interface Dependencies {
  /** Reads the tokens of repositories. */
  cipher: Pick<SecretCipher, "decrypt">;
  placeholders: PlaceholderOf;
  credentials: Pick<SessionCredentials, "variables">;
}

/**
 * One row for a session's sandbox or for a build, none for a socket that nobody has. Tokens are encrypted still. An
 * environment that is gone leaves a session without any host.
 */
const FIND = `
SELECT sandbox.workspace_id, sandbox.session_id, session.vault_ids, environment.config,
  ARRAY(SELECT ROW_TO_JSON(resource) FROM (
    SELECT id, repository AS settings, encode(token, 'hex') AS token FROM session_resources
    WHERE session_id = session.id AND workspace_id = session.workspace_id AND repository IS NOT NULL
    ORDER BY created_at, id
  ) AS resource) AS repositories
FROM sandboxes AS sandbox
JOIN sessions AS session ON session.id = sandbox.session_id AND session.workspace_id = sandbox.workspace_id
LEFT JOIN environments AS environment
  ON environment.id = session.environment_id AND environment.workspace_id = session.workspace_id
WHERE sandbox.gateway_id = $1 AND session.archived_at IS NULL AND session.status <> 'terminated'
UNION ALL
SELECT workspace_id, NULL, '{}', NULL, '{}' FROM environment_images WHERE gateway_id = $1 AND status = 'building'`;

const Row = z.object({
  workspace_id: z.string(),
  session_id: z.string().nullable(),
  vault_ids: z.array(z.string()),
  config: EnvironmentConfig.nullable(),
  repositories: z.array(z.object({ id: z.string(), settings: RepositorySettings, token: z.hex().nullable() })),
});
type Row = z.infer<typeof Row>;

/** An environment's packages come from the public registries, or from the operator's mirrors of them. */
const OF_BUILDS: NetworkingPolicy = { type: "limited", allowedHosts: [], packageManagers: true };
const NOTHING: NetworkingPolicy = { type: "limited", allowedHosts: [], packageManagers: false };

/** Asks the database each time: what is archived, revoked or rotated counts from the next request on. */
export function createPolicySource(pool: pg.Pool, dependencies: Dependencies): PolicySource {
  const { credentials, placeholders } = dependencies;
  const tokens = new DecryptedTokens(dependencies.cipher);

  const ofSession = async (sessionId: string, row: Row): Promise<SandboxPolicy> => {
    const { workspace_id: workspaceId, vault_ids: vaultIds, config } = row;
    const [variables, repositories] = await Promise.all([
      vaultIds.length === 0 ? [] : credentials.variables(workspaceId, vaultIds),
      Promise.all(row.repositories.map((repository) => toRepository(repository, tokens))),
    ]);
    return {
      workspaceId,
      sessionId,
      networking: config === null ? NOTHING : toNetworking(config),
      variables: variables.map((variable) => toVariable(variable, placeholders(sessionId, variable.credentialId))),
      repositories,
    };
  };

  return {
    async find(gatewayId) {
      const { rows } = await pool.query({ name: "gateway_policy", text: FIND, values: [gatewayId] });
      if (rows.length === 0) return null;
      const row = Row.parse(rows[0]);
      if (row.session_id !== null) return ofSession(row.session_id, row);
      const { workspace_id: workspaceId } = row;
      return { workspaceId, sessionId: null, networking: OF_BUILDS, variables: [], repositories: [] };
    },
  };
}

/** MCP servers add no hosts yet: no agent can name any. */
function toNetworking({ networking }: EnvironmentConfig): NetworkingPolicy {
  if (networking.type === "unrestricted") return networking;
  return {
    type: "limited",
    allowedHosts: networking.allowed_hosts,
    packageManagers: networking.allow_package_managers,
  };
}

function toVariable({ credentialId, value, hosts, injection }: SessionVariable, placeholder: string): VariableSecret {
  return { credentialId, placeholder, secret: value, hosts, inHeaders: injection.header, inBody: injection.body };
}

async function toRepository(
  { id, settings: { host, port, path }, token }: Row["repositories"][number],
  tokens: DecryptedTokens,
): Promise<RepositorySecret> {
  return { resourceId: id, host, port, path, token: token === null ? null : await tokens.get(id, token) };
}

/** By ciphertext, so that a token which was rotated is never taken for the one before. */
class DecryptedTokens {
  static readonly #COUNT_MAX = 1_000;
  readonly #cipher: Pick<SecretCipher, "decrypt">;
  readonly #known = new Map<string, Secret>();

  constructor(cipher: Pick<SecretCipher, "decrypt">) {
    this.#cipher = cipher;
  }

  async get(resourceId: string, ciphertext: string): Promise<Secret> {
    const key = `${resourceId}/${ciphertext}`;
    const known = this.#known.get(key);
    if (known) return known;
    const bytes = await this.#cipher.decrypt(Buffer.from(ciphertext, "hex"), tokenContext(resourceId));
    const token = new Secret(Buffer.from(bytes).toString());
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= DecryptedTokens.#COUNT_MAX) this.#known.delete(oldest);
    this.#known.set(key, token);
    return token;
  }
}
