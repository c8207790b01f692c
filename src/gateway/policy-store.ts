import type pg from "pg";
import { z } from "zod";
import { EnvironmentConfig } from "../schemas/environment.ts";
import { RepositorySettings } from "../schemas/resource.ts";
import { Secret } from "../secrets/secret.ts";
import type { SecretCipher } from "../secrets/secret-cipher.ts";
import { tokenContext } from "../sessions/repository-token.ts";
import type { PlaceholderOf } from "../vaults/placeholder.ts";
import type { SessionCredentials, SessionVariable } from "../vaults/session-credentials.ts";
import { createEagerVariables, type VariablesOf } from "./eager-variables.ts";
import { networkingPolicyOf } from "./networking-policy.ts";
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
  /** Any of them is swapped: sandboxes may still have those of the master key before. */
  placeholders: readonly PlaceholderOf[];
  variables: Pick<SessionCredentials, "variables">;
}

/**
 * One row for a session's sandbox or for a build, none for a socket that nobody has. Tokens are encrypted still. An
 * environment that is gone leaves a session without any host.
 */
const FIND = `
SELECT sandbox.workspace_id, sandbox.session_id, session.vault_ids, environment.config -> 'networking' AS networking,
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
SELECT workspace_id, NULL, '{}', networking, '{}' FROM environment_images WHERE gateway_id = $1 AND status = 'building'`;

const OfSession = z.object({
  workspace_id: z.string(),
  session_id: z.string(),
  vault_ids: z.array(z.string()),
  networking: EnvironmentConfig.shape.networking.nullable(),
  repositories: z.array(z.object({ id: z.string(), settings: RepositorySettings, token: z.hex().nullable() })),
});
type OfSession = z.infer<typeof OfSession>;

const OfBuild = z.object({
  workspace_id: z.string(),
  session_id: z.null(),
  networking: z.discriminatedUnion("type", [
    z.object({ type: z.literal("unrestricted") }),
    z.object({ type: z.literal("limited"), allowedHosts: z.array(z.string()), packageManagers: z.boolean() }),
  ]) satisfies z.ZodType<NetworkingPolicy>,
});

const Row = z.union([OfSession, OfBuild]);

/** Asks the database each time: what is archived, revoked or rotated counts from the next request on. */
export function createPolicySource(pool: pg.Pool, dependencies: Dependencies): PolicySource {
  const { placeholders } = dependencies;
  const tokens = new DecryptedTokens(dependencies.cipher);
  const beginVariables = createEagerVariables(dependencies.variables);

  const ofSession = async (row: OfSession, variablesOf: VariablesOf): Promise<SandboxPolicy> => {
    const { workspace_id: workspaceId, session_id: sessionId, vault_ids: vaultIds, networking } = row;
    const [variables, repositories] = await Promise.all([
      variablesOf(workspaceId, vaultIds),
      Promise.all(row.repositories.map((repository) => toRepository(repository, tokens))),
    ]);
    return {
      workspaceId,
      sessionId,
      networking: networkingPolicyOf(networking),
      variables: variables.flatMap((variable) =>
        placeholders.map((of) => toVariable(variable, of(sessionId, variable.credentialId))),
      ),
      repositories,
    };
  };

  return {
    async find(gatewayId) {
      const variablesOf = beginVariables(gatewayId);
      const { rows } = await pool.query({ name: "gateway_policy", text: FIND, values: [gatewayId] });
      if (rows.length === 0) return null;
      const row = Row.parse(rows[0]);
      if (row.session_id !== null) return ofSession(row, variablesOf);
      const { workspace_id: workspaceId, networking } = row;
      return { workspaceId, sessionId: null, networking, variables: [], repositories: [] };
    },
  };
}

function toVariable({ credentialId, value, hosts, injection }: SessionVariable, placeholder: string): VariableSecret {
  return { credentialId, placeholder, secret: value, hosts, inHeaders: injection.header, inBody: injection.body };
}

async function toRepository(
  { id, settings: { host, port, path }, token }: OfSession["repositories"][number],
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
