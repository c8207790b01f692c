import { z } from "zod";
import { Metadata, MetadataPatch, PageQuery, QueryBoolean, QueryTimestamp, Timestamp } from "./primitives.ts";

export const BUILT_IN_TOOL_NAMES = ["bash", "read", "write", "edit", "glob", "grep"] as const;
export type BuiltInToolName = (typeof BUILT_IN_TOOL_NAMES)[number];

const POLICIES = ["always_allow", "always_ask"] as const;
const PermissionPolicy = z.object({ type: z.enum(POLICIES) });

/** A policy that this server can't honour is refused, so that nobody takes a call for judged that was not. */
const PermissionPolicyParams = z.strictObject({
  type: z.enum(POLICIES, {
    error: ({ input }) =>
      input === "auto" ? "`auto` is not supported yet; take `always_allow` or `always_ask`" : undefined,
  }),
});
const Effort = z.enum(["low", "medium", "high", "xhigh", "max"]);
const SYSTEM_CHARS_MAX = 100_000;

const toolConfigParams = <Name extends BuiltInToolName>(name: Name) =>
  z.strictObject({
    name: z.literal(name),
    type: z.literal(name).optional(),
    enabled: z.boolean().nullish(),
    permission_policy: PermissionPolicyParams.nullish(),
  });

const ToolConfigParams = z.discriminatedUnion("name", [
  toolConfigParams("bash"),
  toolConfigParams("read"),
  toolConfigParams("write"),
  toolConfigParams("edit"),
  toolConfigParams("glob"),
  toolConfigParams("grep"),
]);

export const ToolsetParams = z.strictObject({
  type: z.literal("agent_toolset_20260401"),
  configs: z
    .array(ToolConfigParams)
    .max(64)
    .refine((configs) => new Set(configs.map(({ name }) => name)).size === configs.length, {
      message: "each tool may be named only once",
    })
    .optional(),
  default_config: z
    .strictObject({ enabled: z.boolean().nullish(), permission_policy: PermissionPolicyParams.nullish() })
    .nullish(),
});
export type ToolsetParams = z.infer<typeof ToolsetParams>;

const CUSTOM_TOOL_NAME = /^[A-Za-z0-9_-]{1,128}$/;

/** JSON Schema of an object. Only its outline is checked: the model's API knows which keywords it takes. */
const CustomToolInputSchema = z.looseObject({
  type: z.literal("object"),
  properties: z.record(z.string(), z.unknown()).nullable().optional(),
  required: z.array(z.string()).nullable().optional(),
});

export const CustomToolParams = z.strictObject({
  type: z.literal("custom"),
  name: z.string().regex(CUSTOM_TOOL_NAME, { error: "must be 1 to 128 letters, digits, underscores and hyphens" }),
  description: z.string().min(1),
  input_schema: CustomToolInputSchema,
});

export const AgentToolParams = z
  .discriminatedUnion("type", [ToolsetParams, CustomToolParams])
  .meta({ id: "AgentToolParams" });
export type AgentToolParams = z.infer<typeof AgentToolParams>;

const TOOL_ENTRIES_MAX = 256;

const ModelId = z.string().min(1).max(256);

export const ModelParams = z.union(
  [
    ModelId,
    z.strictObject({
      id: ModelId,
      effort: z.union([Effort, z.strictObject({ type: Effort })]).nullish(),
      speed: z.literal("standard", { error: "only `standard` is supported" }).nullish(),
      inference_geo: z.null({ error: "this server can't pin where a model runs; leave it out" }).optional(),
    }),
  ],
  { error: ({ input }) => (input === null ? "agent_model_required: an agent can't be without a model" : undefined) },
);
export type ModelParams = z.infer<typeof ModelParams>;

const ToolsParams = z.array(AgentToolParams).max(TOOL_ENTRIES_MAX);

/**
 * What creating an agent, updating it and overriding it for one session have in common. Fields of the API that this
 * server does not act on yet accept only their empty value, so that nobody is misled.
 */
const equipment = {
  system: z.string().max(SYSTEM_CHARS_MAX).nullish(),
  tools: ToolsParams.nullish(),
  mcp_servers: z.array(z.never()).nullish(),
  skills: z.array(z.never()).nullish(),
};

const Name = z.string().min(1).max(256);

const character = {
  ...equipment,
  description: z.string().max(2048).nullish(),
  multiagent: z.null({ error: "multiagent is not supported yet; leave it out" }).optional(),
  execution_identity: z
    .strictObject({ type: z.literal("service_account", { error: "only `service_account` is supported" }) })
    .nullish(),
};

export const AgentCreateParams = z
  .strictObject({ name: Name, model: ModelParams, ...character, metadata: Metadata.optional() })
  .meta({ id: "AgentCreateParams" });
export type AgentCreateParams = z.infer<typeof AgentCreateParams>;

const VERSION_MAX = 2_147_483_647;

export const AgentVersion = z.int().min(1).max(VERSION_MAX);

/** What is left out stays. */
export const AgentUpdateParams = z
  .strictObject({
    name: Name.optional(),
    model: ModelParams.optional(),
    ...character,
    metadata: MetadataPatch.nullish(),
    /** Of the agent as the caller knows it: with another one the update is refused. */
    version: AgentVersion.optional(),
  })
  .meta({ id: "AgentUpdateParams" });
export type AgentUpdateParams = z.infer<typeof AgentUpdateParams>;

/** A given field takes the place of the agent's, for one session. */
const AgentOverrides = z.strictObject({
  type: z.literal("agent_with_overrides"),
  id: z.string().min(1),
  version: AgentVersion.nullish(),
  model: ModelParams.optional(),
  ...equipment,
});

/** Names the agent that a session is to run: by its id at the latest version, or with more said of it. */
export const SessionAgentParams = z.union([
  z.string().min(1),
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("agent"), id: z.string().min(1), version: AgentVersion.nullish() }),
    AgentOverrides,
  ]),
]);
export type SessionAgentParams = z.infer<typeof SessionAgentParams>;

export const ModelConfig = z.object({
  id: z.string(),
  effort: z.object({ type: Effort }),
  speed: z.literal("standard"),
});

const toolConfig = <Name extends BuiltInToolName>(name: Name) =>
  z.object({
    name: z.literal(name),
    type: z.literal(name),
    enabled: z.boolean(),
    permission_policy: PermissionPolicy,
  });

const ToolConfig = z.discriminatedUnion("name", [
  toolConfig("bash"),
  toolConfig("read"),
  toolConfig("write"),
  toolConfig("edit"),
  toolConfig("glob"),
  toolConfig("grep"),
]);

export const Toolset = z.object({
  type: z.literal("agent_toolset_20260401"),
  default_config: z.object({ enabled: z.boolean(), permission_policy: PermissionPolicy }),
  configs: z.array(ToolConfig),
});
export type Toolset = z.infer<typeof Toolset>;

/** A tool that a client of the API runs. */
export const CustomTool = z.object({
  type: z.literal("custom"),
  name: z.string(),
  description: z.string(),
  input_schema: CustomToolInputSchema,
});
export type CustomTool = z.infer<typeof CustomTool>;

export const AgentTool = z.discriminatedUnion("type", [Toolset, CustomTool]);
export type AgentTool = z.infer<typeof AgentTool>;

/** The part of an agent that a version pins and a session copies. */
export const AgentConfig = z.object({
  name: z.string(),
  description: z.string().nullable(),
  model: ModelConfig,
  system: z.string().nullable(),
  tools: z.array(AgentTool),
  mcp_servers: z.array(z.never()),
  skills: z.array(z.never()),
  multiagent: z.null(),
  execution_identity: z.object({ type: z.literal("service_account") }),
});
export type AgentConfig = z.infer<typeof AgentConfig>;

export const Agent = AgentConfig.extend({
  id: z.string(),
  type: z.literal("agent"),
  version: z.number().int(),
  metadata: Metadata,
  created_at: Timestamp,
  updated_at: Timestamp,
  archived_at: Timestamp.nullable(),
}).meta({ id: "Agent" });
export type Agent = z.infer<typeof Agent>;

/** The agent as a session runs it. */
export const SessionAgent = AgentConfig.extend({
  id: z.string(),
  type: z.literal("agent"),
  version: z.number().int(),
}).meta({ id: "SessionAgent" });
export type SessionAgent = z.infer<typeof SessionAgent>;

export const AgentVersionQuery = z.object({ version: z.coerce.number().pipe(AgentVersion).optional() });

export const AgentListQuery = PageQuery.extend({
  include_archived: QueryBoolean.optional(),
  "created_at[gte]": QueryTimestamp.optional(),
  "created_at[lte]": QueryTimestamp.optional(),
});
export type AgentListQuery = z.infer<typeof AgentListQuery>;
