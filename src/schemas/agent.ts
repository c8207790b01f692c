import { z } from "zod";
import { Metadata, PageQuery, QueryBoolean, QueryTimestamp, Timestamp } from "./primitives.ts";

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

const ToolConfigParams = z.strictObject({
  name: z.enum(BUILT_IN_TOOL_NAMES),
  type: z.enum(BUILT_IN_TOOL_NAMES).optional(),
  enabled: z.boolean().nullish(),
  permission_policy: PermissionPolicyParams.nullish(),
});

export const ToolsetParams = z.strictObject({
  type: z.literal("agent_toolset_20260401"),
  configs: z.array(ToolConfigParams).max(64).optional(),
  default_config: z
    .strictObject({ enabled: z.boolean().nullish(), permission_policy: PermissionPolicyParams.nullish() })
    .nullish(),
});
export type ToolsetParams = z.infer<typeof ToolsetParams>;

export const ModelParams = z.union([
  z.string().min(1).max(256),
  z.strictObject({
    id: z.string().min(1).max(256),
    effort: z.union([Effort, z.strictObject({ type: Effort })]).nullish(),
    speed: z.literal("standard").nullish(),
  }),
]);
export type ModelParams = z.infer<typeof ModelParams>;

/** Fields of the API that this server does not act on yet accept only their empty value, so that nobody is misled. */
export const AgentCreateParams = z
  .strictObject({
    name: z.string().min(1).max(256),
    model: ModelParams,
    description: z.string().max(2048).nullish(),
    system: z.string().max(SYSTEM_CHARS_MAX).nullish(),
    tools: z.array(ToolsetParams).max(1).nullish(),
    metadata: Metadata.optional(),
    mcp_servers: z.array(z.never()).nullish(),
    skills: z.array(z.never()).nullish(),
    multiagent: z.null().optional(),
  })
  .meta({ id: "AgentCreateParams" });
export type AgentCreateParams = z.infer<typeof AgentCreateParams>;

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

const VERSION_MAX = 2_147_483_647;

export const AgentVersion = z.int().min(1).max(VERSION_MAX);

/** The part of an agent that a version pins and a session copies. */
export const AgentConfig = z.object({
  name: z.string(),
  description: z.string().nullable(),
  model: ModelConfig,
  system: z.string().nullable(),
  tools: z.array(Toolset),
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

export const AgentListQuery = PageQuery.extend({
  include_archived: QueryBoolean.optional(),
  "created_at[gte]": QueryTimestamp.optional(),
  "created_at[lte]": QueryTimestamp.optional(),
});
export type AgentListQuery = z.infer<typeof AgentListQuery>;
