import { z } from "zod";
import { Metadata, PageQuery, QueryBoolean, Timestamp } from "./primitives.ts";

/**
 * Sandboxes have no network at all in this version, whatever a policy allows: the policy is kept and shown as given, so
 * that a program written for the hosted API runs, and is enforced by giving less.
 */
const Networking = z.discriminatedUnion("type", [
  z.object({ type: z.literal("unrestricted") }),
  z.object({
    type: z.literal("limited"),
    allowed_hosts: z.array(z.string()),
    allow_mcp_servers: z.boolean(),
    allow_package_managers: z.boolean(),
  }),
]);

const ALLOWED_HOSTS_MAX = 256;

const NetworkingParams = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("unrestricted") }),
  z.strictObject({
    type: z.literal("limited"),
    allowed_hosts: z.array(z.string().min(1).max(255)).max(ALLOWED_HOSTS_MAX).nullish(),
    allow_mcp_servers: z.boolean().nullish(),
    allow_package_managers: z.boolean().nullish(),
  }),
]);

const Packages = z.object({
  type: z.literal("packages"),
  apt: z.array(z.string()),
  cargo: z.array(z.string()),
  gem: z.array(z.string()),
  go: z.array(z.string()),
  npm: z.array(z.string()),
  pip: z.array(z.string()),
});

const noPackages = z.array(z.never()).nullish();
const PackagesParams = z.strictObject({
  type: z.literal("packages").optional(),
  apt: noPackages,
  cargo: noPackages,
  gem: noPackages,
  go: noPackages,
  npm: noPackages,
  pip: noPackages,
});

export const EnvironmentCreateParams = z
  .strictObject({
    name: z.string().min(1).max(256),
    description: z.string().max(2048).nullish(),
    config: z
      .strictObject({
        type: z.literal("cloud"),
        networking: NetworkingParams.nullish(),
        packages: PackagesParams.nullish(),
      })
      .nullish(),
    metadata: Metadata.optional(),
    scope: z.enum(["organization", "account"]).nullish(),
  })
  .meta({ id: "EnvironmentCreateParams" });
export type EnvironmentCreateParams = z.infer<typeof EnvironmentCreateParams>;

export const EnvironmentConfig = z.object({ type: z.literal("cloud"), networking: Networking, packages: Packages });
export type EnvironmentConfig = z.infer<typeof EnvironmentConfig>;

export const Environment = z
  .object({
    id: z.string(),
    type: z.literal("environment"),
    name: z.string(),
    description: z.string().nullable(),
    config: EnvironmentConfig,
    metadata: Metadata,
    scope: z.literal("organization"),
    created_at: Timestamp,
    updated_at: Timestamp,
    archived_at: Timestamp.nullable(),
  })
  .meta({ id: "Environment" });
export type Environment = z.infer<typeof Environment>;

export const EnvironmentListQuery = PageQuery.extend({ include_archived: QueryBoolean.optional() });
export type EnvironmentListQuery = z.infer<typeof EnvironmentListQuery>;
