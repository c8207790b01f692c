import { z } from "zod";
import { PageQuery, Timestamp } from "./primitives.ts";

export const FileResourceParams = z
  .strictObject({
    type: z.literal("file"),
    file_id: z.string().min(1),
    /** Rooted under `/mnt/session/uploads`; `/data.csv` becomes `/mnt/session/uploads/data.csv`. */
    mount_path: z.string().min(1).max(1024).nullish(),
  })
  .meta({ id: "FileResourceParams" });
export type FileResourceParams = z.infer<typeof FileResourceParams>;

export const FileResource = z
  .object({
    id: z.string(),
    type: z.literal("file"),
    /** Of the session's own copy, not of the uploaded file. */
    file_id: z.string(),
    mount_path: z.string(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: "FileResource" });
export type FileResource = z.infer<typeof FileResource>;

/** Of a token: shorter ones could not be told from ordinary text where they are looked for. */
const TOKEN_CHARS_MIN = 8;
const TOKEN_CHARS_MAX = 4096;

/** Write-only. */
const AuthorizationToken = z
  .string()
  .min(TOKEN_CHARS_MIN)
  .max(TOKEN_CHARS_MAX)
  .regex(/^[\x21-\x7e]+$/, "must be printable ASCII without spaces");

/** As git allows names of branches, and none that its command line could take for an option. */
const BranchName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !/^[-/.]|[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\/\.|[/.]$|\.lock(\/|$)/u.test(name) && name !== "@", {
    message: "is no name of a branch",
  });

export const RepositoryCheckout = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("branch"), name: BranchName }),
  z.strictObject({
    type: z.literal("commit"),
    sha: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/i, "must be the full SHA of a commit"),
  }),
]);
export type RepositoryCheckout = z.infer<typeof RepositoryCheckout>;

export const RepositoryResourceParams = z
  .strictObject({
    type: z.literal("github_repository"),
    /** `https://github.com/owner/name`; other hosts that speak git over HTTPS are our extension. */
    url: z.string().min(1).max(2048),
    authorization_token: AuthorizationToken.optional(),
    /** The repository's default branch without it. */
    checkout: RepositoryCheckout.nullish(),
    /** `/workspace/<name>` without it; a relative path counts from `/workspace`. */
    mount_path: z.string().min(1).max(1024).nullish(),
  })
  .meta({ id: "RepositoryResourceParams" });
export type RepositoryResourceParams = z.infer<typeof RepositoryResourceParams>;

/** What is stored of a repository, but for its token. */
export const RepositorySettings = z.object({
  /** As it was given. */
  url: z.string(),
  /** In lower case. */
  host: z.string(),
  port: z.number().int(),
  /** `/owner/name`, without `.git` and without a slash at the end. */
  path: z.string(),
  checkout: RepositoryCheckout.nullable(),
});
export type RepositorySettings = z.infer<typeof RepositorySettings>;

export const RepositoryResource = z
  .object({
    id: z.string(),
    type: z.literal("github_repository"),
    url: z.string(),
    mount_path: z.string(),
    checkout: RepositoryCheckout.nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
  })
  .meta({ id: "RepositoryResource" });
export type RepositoryResource = z.infer<typeof RepositoryResource>;

/** What a session is created with; a session that is there takes files only. */
export const ResourceParams = z.discriminatedUnion("type", [FileResourceParams, RepositoryResourceParams]);
export type ResourceParams = z.infer<typeof ResourceParams>;

export const SessionResource = z.discriminatedUnion("type", [FileResource, RepositoryResource]);
export type SessionResource = z.infer<typeof SessionResource>;

export const ResourceUpdateParams = z
  .strictObject({ authorization_token: AuthorizationToken })
  .meta({ id: "ResourceUpdateParams" });
export type ResourceUpdateParams = z.infer<typeof ResourceUpdateParams>;

export const ResourceListQuery = PageQuery.extend({ limit: z.coerce.number().int().min(1).max(1000).default(1000) });
export type ResourceListQuery = z.infer<typeof ResourceListQuery>;
