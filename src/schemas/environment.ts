import { z } from "zod";
import { HostPattern } from "./host-pattern.ts";
import { packageNames } from "./package-name.ts";
import { Metadata, PageQuery, QueryBoolean, Timestamp } from "./primitives.ts";

const Networking = z.discriminatedUnion("type", [
  z.object({ type: z.literal("unrestricted") }),
  z.object({
    type: z.literal("limited"),
    allowed_hosts: z.array(z.string()),
    allow_mcp_servers: z.boolean(),
    allow_package_managers: z.boolean(),
  }),
]);
export type Networking = z.infer<typeof Networking>;

const ALLOWED_HOSTS_MAX = 256;

const NetworkingParams = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("unrestricted") }),
  z.strictObject({
    type: z.literal("limited"),
    allowed_hosts: z.array(HostPattern).max(ALLOWED_HOSTS_MAX).nullish(),
    allow_mcp_servers: z.boolean().nullish(),
    allow_package_managers: z.boolean().nullish(),
  }),
]);
export type NetworkingParams = z.infer<typeof NetworkingParams>;

export const Packages = z.object({
  type: z.literal("packages"),
  apt: z.array(z.string()),
  cargo: z.array(z.string()),
  gem: z.array(z.string()),
  go: z.array(z.string()),
  npm: z.array(z.string()),
  pip: z.array(z.string()),
});
export type Packages = z.infer<typeof Packages>;

const PackagesParams = z.strictObject({
  type: z.literal("packages").optional(),
  apt: packageNames("apt").nullish(),
  cargo: packageNames("cargo").nullish(),
  gem: packageNames("gem").nullish(),
  go: packageNames("go").nullish(),
  npm: packageNames("npm").nullish(),
  pip: packageNames("pip").nullish(),
});
export type PackagesParams = z.infer<typeof PackagesParams>;

/**
 * A name with its tag or digest. An id is no name: the engine would also take the beginning of one, which anybody can
 * guess; and what environments were baked into is theirs.
 */
const IMAGE =
  /^(?!sha256:|deckhand\/environment[:@])[a-z0-9][a-z0-9._-]*(:\d+)?(\/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$/;

const Machine = z.object({
  cpus: z.number().min(0.1).max(64),
  memory_mb: z.int().min(128),
  /** Processes and threads. */
  pids: z.int().min(32),
  disk_mb: z.int().min(64),
  /** As registered with the engine, e.g. `runsc`. */
  runtime: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, { message: "must be the name of a runtime of the engine" }),
  base_image: z
    .string()
    .max(255)
    .regex(IMAGE, { message: "must be an image's name with its tag or digest, such as `registry.example.com/base:3`" }),
});

/** What this server adds to the hosted API: the machine that sandboxes of the environment are. What is not given is the server's. */
export const DeckhandConfig = Machine.partial();
export type DeckhandConfig = z.infer<typeof DeckhandConfig>;

const { shape } = Machine;
const DeckhandConfigParams = z.strictObject({
  cpus: shape.cpus.nullish(),
  memory_mb: shape.memory_mb.nullish(),
  pids: shape.pids.nullish(),
  disk_mb: shape.disk_mb.nullish(),
  runtime: shape.runtime.nullish(),
  base_image: shape.base_image.nullish(),
});
export type DeckhandConfigParams = z.infer<typeof DeckhandConfigParams>;

const configFields = {
  networking: NetworkingParams.nullish(),
  packages: PackagesParams.nullish(),
  deckhand: DeckhandConfigParams.nullish(),
};
const CloudConfigParams = z.strictObject({
  type: z.literal("cloud", { error: "Only `cloud` is supported: this server runs the sandboxes itself" }),
  ...configFields,
});
export type CloudConfigParams = z.infer<typeof CloudConfigParams>;

const Scope = z.enum(["organization", "account"]);
const Name = z.string().min(1).max(256);
const Description = z.string().max(2048);

export const EnvironmentCreateParams = z
  .strictObject({
    name: Name,
    description: Description.nullish(),
    config: CloudConfigParams.nullish(),
    /** As `Metadata` bounds it: a breach has an error code of its own. */
    metadata: z.record(z.string(), z.string()).optional(),
    scope: Scope.nullish(),
  })
  .meta({ id: "EnvironmentCreateParams" });
export type EnvironmentCreateParams = z.infer<typeof EnvironmentCreateParams>;

/** What is left out stays as it is. */
export const EnvironmentUpdateParams = z
  .strictObject({
    name: Name.nullish(),
    /** Null clears it. */
    description: Description.nullish(),
    /** `type` can't change; a list that is given replaces the one before. */
    config: z.strictObject({ type: z.enum(["cloud", "self_hosted"]), ...configFields }).nullish(),
    /** A key whose value is null or empty is deleted, the others are set. */
    metadata: z.record(z.string(), z.string().nullable()).optional(),
    scope: Scope.nullish(),
  })
  .meta({ id: "EnvironmentUpdateParams" });
export type EnvironmentUpdateParams = z.infer<typeof EnvironmentUpdateParams>;

export const EnvironmentConfig = z.object({
  type: z.literal("cloud"),
  networking: Networking,
  packages: Packages,
  deckhand: DeckhandConfig.optional(),
});
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

export const DeletedEnvironment = z
  .object({ id: z.string(), type: z.literal("environment_deleted") })
  .meta({ id: "DeletedEnvironment" });
export type DeletedEnvironment = z.infer<typeof DeletedEnvironment>;

export const EnvironmentListQuery = PageQuery.extend({ include_archived: QueryBoolean.optional() });
export type EnvironmentListQuery = z.infer<typeof EnvironmentListQuery>;
