import { type AppError, invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Keyset } from "../keyset.ts";
import { patchMetadata } from "../metadata-patch.ts";
import type {
  Environment,
  EnvironmentConfig,
  EnvironmentCreateParams,
  EnvironmentUpdateParams,
} from "../schemas/environment.ts";
import type { MetadataPatch } from "../schemas/primitives.ts";
import { DEFAULT_CONFIG, hasPackages, patchConfig } from "./environment-config.ts";
import type { EnvironmentChange, EnvironmentStore } from "./environment-store.ts";

/** Every method that takes an id throws AppError `not_found`, also for another workspace's environment. */
export interface Environments {
  create(workspaceId: string, params: EnvironmentCreateParams): Promise<Environment>;
  get(workspaceId: string, id: string): Promise<Environment>;
  list(workspaceId: string, filter: { includeArchived: boolean }, keyset: Keyset): Promise<Environment[]>;
  /**
   * Counts for sandboxes that are made from now on, and at the gateway from the next request.
   * @throws AppError `invalid_request`, with `environment_archived` or `invalid_config_type_change`
   */
  update(workspaceId: string, id: string, params: EnvironmentUpdateParams): Promise<Environment>;
  /** No new sessions from now on. Idempotent. */
  archive(workspaceId: string, id: string): Promise<Environment>;
  /** @throws AppError `invalid_request` while a session that is not archived uses it */
  delete(workspaceId: string, id: string): Promise<void>;
}

export interface EnvironmentsOptions {
  /** Told of an environment whose packages may be in no image yet. Never rejects. */
  hintBuild?(environment: { workspaceId: string; id: string }): Promise<void>;
  /** What the operator says no to. @throws AppError `invalid_request` that names the field */
  checkConfig?(config: EnvironmentConfig): void;
}

export function createEnvironments(
  store: EnvironmentStore,
  { hintBuild, checkConfig }: EnvironmentsOptions = {},
): Environments {
  const saved = async (workspaceId: string, environment: Environment): Promise<Environment> => {
    if (hasPackages(environment.config)) await hintBuild?.({ workspaceId, id: environment.id });
    return environment;
  };
  const found = (environment: Environment | null, id: string): Environment => {
    if (!environment) throw notFound("Environment", id);
    return environment;
  };

  return {
    async create(workspaceId, params) {
      assertScope(params);
      const config = patchConfig(DEFAULT_CONFIG, params.config ?? {});
      checkConfig?.(config);
      return saved(
        workspaceId,
        await store.insert(workspaceId, {
          id: newId("env"),
          name: params.name,
          description: params.description ?? null,
          config,
          metadata: patchMetadata({}, params.metadata),
        }),
      );
    },

    get: async (workspaceId, id) => found(await store.find(workspaceId, id), id),

    list: (workspaceId, filter, keyset) => store.list(workspaceId, filter, keyset),

    async update(workspaceId, id, params) {
      assertScope(params);
      const change = (current: Environment) => {
        const changed = changeOf(current, params);
        if (params.config) checkConfig?.(changed.config);
        return changed;
      };
      return saved(workspaceId, found(await store.update(workspaceId, id, change), id));
    },

    archive: async (workspaceId, id) => found(await store.archive(workspaceId, id), id),

    async delete(workspaceId, id) {
      const outcome = await store.deleteUnused(workspaceId, id);
      if (outcome === "not_found") throw notFound("Environment", id);
      if (outcome === "in_use") {
        throw invalid(
          `Environment \`${id}\` is used by sessions. Archive or delete those first, or archive it instead.`,
        );
      }
    },
  };
}

function assertScope({ scope }: Pick<EnvironmentCreateParams, "scope">): void {
  if (scope === "account") throw invalid("scope: only `organization` is supported");
}

function changeOf(current: Environment, { name, description, config, metadata }: EnvironmentUpdateParams) {
  if (current.archived_at) {
    throw coded("environment_archived", `Environment \`${current.id}\` is archived and can't be changed.`);
  }
  if (config && config.type !== current.config.type) {
    throw coded(
      "invalid_config_type_change",
      `config.type: Can't change; the environment is of type \`${current.config.type}\``,
    );
  }
  return {
    name: name ?? current.name,
    description: description === undefined ? current.description : description,
    config: config ? patchConfig(current.config, config) : current.config,
    metadata: patchMetadata(current.metadata, metadata && deletingEmpty(metadata)),
  } satisfies EnvironmentChange;
}

/** Here an empty text deletes as null does. */
const deletingEmpty = (patch: MetadataPatch): MetadataPatch =>
  Object.fromEntries(Object.entries(patch).map(([key, value]) => [key, value || null]));

const coded = (errorCode: string, message: string): AppError =>
  invalid(message, { details: { error_code: errorCode } });
