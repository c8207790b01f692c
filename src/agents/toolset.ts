import { BUILT_IN_TOOL_NAMES, Toolset, type ToolsetParams } from "../schemas/agent.ts";

/** Writes out what a toolset says of each tool: its own entry, else the toolset's default, else enabled and allowed. Pure. */
export function resolveToolset(params: ToolsetParams): Toolset {
  const entries = new Map((params.configs ?? []).map((config) => [config.name, config]));
  const defaults = {
    enabled: params.default_config?.enabled ?? true,
    permission_policy: params.default_config?.permission_policy ?? { type: "always_allow" },
  };
  return Toolset.parse({
    type: params.type,
    default_config: defaults,
    configs: BUILT_IN_TOOL_NAMES.map((name) => ({
      name,
      type: name,
      enabled: entries.get(name)?.enabled ?? defaults.enabled,
      permission_policy: entries.get(name)?.permission_policy ?? defaults.permission_policy,
    })),
  });
}
