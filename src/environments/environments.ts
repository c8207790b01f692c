import { invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import type { Keyset } from "../keyset.ts";
import type { Environment, EnvironmentConfig, EnvironmentCreateParams } from "../schemas/environment.ts";
import type { EnvironmentStore } from "./environment-store.ts";

export interface Environments {
  create(workspaceId: string, params: EnvironmentCreateParams): Promise<Environment>;
  /** @throws AppError `not_found`, also for another workspace's environment */
  get(workspaceId: string, id: string): Promise<Environment>;
  list(workspaceId: string, filter: { includeArchived: boolean }, keyset: Keyset): Promise<Environment[]>;
}

export function createEnvironments(store: EnvironmentStore): Environments {
  return {
    async create(workspaceId, params) {
      if (params.scope === "account") throw invalid("scope: only `organization` is supported");
      return store.insert(workspaceId, {
        id: newId("env"),
        name: params.name,
        description: params.description ?? null,
        config: resolveConfig(params.config ?? { type: "cloud" }),
        metadata: params.metadata ?? {},
      });
    },

    async get(workspaceId, id) {
      const environment = await store.find(workspaceId, id);
      if (!environment) throw notFound("Environment", id);
      return environment;
    },

    list: (workspaceId, filter, keyset) => store.list(workspaceId, filter, keyset),
  };
}

function resolveConfig({ networking }: NonNullable<EnvironmentCreateParams["config"]>): EnvironmentConfig {
  return {
    type: "cloud",
    networking:
      networking?.type === "limited"
        ? {
            type: "limited",
            allowed_hosts: networking.allowed_hosts ?? [],
            allow_mcp_servers: networking.allow_mcp_servers ?? false,
            allow_package_managers: networking.allow_package_managers ?? false,
          }
        : { type: "unrestricted" },
    packages: { type: "packages", apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
  };
}
