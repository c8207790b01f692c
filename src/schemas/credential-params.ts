import { z } from "zod";
import { CredentialHost } from "./credential-host.ts";
import { Metadata, MetadataPatch } from "./primitives.ts";
import { SecretName } from "./secret-name.ts";
import { DisplayName } from "./vault.ts";

const HOSTS_MAX = 16;
/** Of every secret: each form in which a server may give it back is looked for in what it answers. */
export const SECRET_CHARS_MAX = 8192;
const VALUE_CHARS_MIN = 8;
const URL_CHARS_MAX = 2048;
const SETTING_CHARS_MAX = 1024;

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

const SecretValue = z
  .string()
  .min(VALUE_CHARS_MIN, {
    error: `must have at least ${VALUE_CHARS_MIN} characters: a shorter one can't be told from other text, so it could not be kept out of what servers answer`,
  })
  .max(SECRET_CHARS_MAX)
  .refine((text) => !CONTROL.test(text), {
    error: "must have no control characters, such as a newline at its end: no header could carry it",
  });

/** What goes behind `Bearer` in a header. */
const Token = z
  .string()
  .min(1)
  .max(SECRET_CHARS_MAX)
  .regex(VISIBLE_ASCII, { error: "must be visible ASCII characters only: no spaces and no newline" });

const ClientSecret = z
  .string()
  .min(1)
  .max(SECRET_CHARS_MAX)
  .refine((text) => !CONTROL.test(text), { error: "must have no control characters" });

/** Where a token is sent to. */
const TokenUrl = z
  .string()
  .max(URL_CHARS_MAX)
  .refine((text) => isTokenUrl(URL.parse(text)), {
    error: "must be an https:// URL, or http:// on this machine, with no user, password or fragment",
  });

const fixed = (error: string) => z.never({ error }).optional();
const MCP_SERVER_URL_FIXED = fixed("can't be changed: create another credential, and archive this one");

const Networking = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("unrestricted") }),
  z.strictObject({ type: z.literal("limited"), allowed_hosts: z.array(CredentialHost).max(HOSTS_MAX) }),
]);

const Injection = z.strictObject({ header: z.boolean().nullish(), body: z.boolean().nullish() });

const ExpiresAt = z.iso.datetime({ offset: true });

const OAuthSetting = z.string().max(SETTING_CHARS_MAX);

const RefreshCreateParams = z.strictObject({
  client_id: OAuthSetting.min(1),
  refresh_token: ClientSecret,
  token_endpoint: TokenUrl,
  token_endpoint_auth: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("none") }),
    z.strictObject({ type: z.literal("client_secret_basic"), client_secret: ClientSecret }),
    z.strictObject({ type: z.literal("client_secret_post"), client_secret: ClientSecret }),
  ]),
  scope: OAuthSetting.nullish(),
  resource: OAuthSetting.nullish(),
});
export type RefreshCreateParams = z.infer<typeof RefreshCreateParams>;

const REFRESH_FIXED = fixed("can't be changed: create another credential, and archive this one");
const RefreshUpdateParams = z.strictObject({
  refresh_token: ClientSecret.nullish(),
  /** Empty to have none. */
  scope: OAuthSetting.nullish(),
  token_endpoint_auth: z
    .strictObject({
      type: z.enum(["client_secret_basic", "client_secret_post"]),
      client_secret: ClientSecret.nullish(),
    })
    .nullish(),
  client_id: REFRESH_FIXED,
  token_endpoint: REFRESH_FIXED,
  resource: REFRESH_FIXED,
});
export type RefreshUpdateParams = z.infer<typeof RefreshUpdateParams>;

const AuthCreateParams = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("static_bearer"), mcp_server_url: TokenUrl, token: Token }),
  z.strictObject({
    type: z.literal("mcp_oauth"),
    mcp_server_url: TokenUrl,
    access_token: Token,
    expires_at: ExpiresAt.nullish(),
    refresh: RefreshCreateParams.nullish(),
  }),
  z.strictObject({
    type: z.literal("environment_variable"),
    secret_name: SecretName,
    secret_value: SecretValue,
    networking: Networking,
    injection_location: Injection.nullish(),
  }),
]);
export type AuthCreateParams = z.infer<typeof AuthCreateParams>;

/** What is left out, or null, stays as it is, except an `expires_at` of null: then nobody knows it. */
const AuthUpdateParams = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("static_bearer"), token: Token.nullish(), mcp_server_url: MCP_SERVER_URL_FIXED }),
  z.strictObject({
    type: z.literal("mcp_oauth"),
    access_token: Token.nullish(),
    expires_at: ExpiresAt.nullish(),
    refresh: RefreshUpdateParams.nullish(),
    mcp_server_url: MCP_SERVER_URL_FIXED,
  }),
  z.strictObject({
    type: z.literal("environment_variable"),
    secret_value: SecretValue.nullish(),
    networking: Networking.nullish(),
    injection_location: Injection.nullish(),
    secret_name: fixed("can't be changed: create another credential, and archive this one"),
  }),
]);
export type AuthUpdateParams = z.infer<typeof AuthUpdateParams>;

export const CredentialCreateParams = z
  .strictObject({
    auth: AuthCreateParams,
    display_name: z.string().max(255).nullish(),
    metadata: Metadata.optional(),
  })
  .meta({ id: "CredentialCreateParams" });
export type CredentialCreateParams = z.infer<typeof CredentialCreateParams>;

export const CredentialUpdateParams = z
  .strictObject({
    auth: AuthUpdateParams.optional(),
    /** Null to have none. */
    display_name: DisplayName.nullish(),
    metadata: MetadataPatch.nullish(),
  })
  .meta({ id: "CredentialUpdateParams" });
export type CredentialUpdateParams = z.infer<typeof CredentialUpdateParams>;

function isTokenUrl(url: URL | null): boolean {
  if (url === null || `${url.username}${url.password}${url.hash}` !== "") return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}
