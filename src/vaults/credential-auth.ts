import { invalid } from "../errors.ts";
import type { CredentialSettings, InjectionLocation, RefreshSettings } from "../schemas/credential.ts";
import type {
  AuthCreateParams,
  AuthUpdateParams,
  RefreshCreateParams,
  RefreshUpdateParams,
} from "../schemas/credential-params.ts";
import { Secret } from "../secrets/secret.ts";
import type { CredentialSecret } from "./credential-secret.ts";
import { mcpServerKey } from "./mcp-server-key.ts";

/** The two halves of what a credential is: what may be shown, and what may not. */
export interface CredentialAuth {
  settings: CredentialSettings;
  secret: CredentialSecret;
}

type Of<Union, Type> = Extract<Union, { type: Type }>;

/** Pure: what it is for, which no two active credentials of a vault may have in common. */
export function keyOf(settings: CredentialSettings): string {
  return settings.type === "environment_variable" ? settings.secret_name : mcpServerKey(settings.mcp_server_url);
}

/** Pure: the field of the wire that `keyOf` is made of. */
export const keyField = ({ type }: CredentialSettings) =>
  type === "environment_variable" ? "auth.secret_name" : "auth.mcp_server_url";

/** Pure. @throws AppError `invalid_request` */
export function newAuth(params: AuthCreateParams, now: number): CredentialAuth {
  switch (params.type) {
    case "static_bearer": {
      const { type, mcp_server_url, token } = params;
      return { settings: { type, mcp_server_url }, secret: { type, token: new Secret(token) } };
    }
    case "environment_variable": {
      const { type, secret_name, networking, secret_value } = params;
      const everywhere = { header: true, body: true };
      const nowhere = { header: false, body: false };
      const injection_location = params.injection_location ? injection(nowhere, params.injection_location) : everywhere;
      return {
        settings: { type, secret_name, networking, injection_location },
        secret: { type, value: new Secret(secret_value) },
      };
    }
    case "mcp_oauth": {
      const { type, mcp_server_url, access_token, expires_at, refresh } = params;
      return {
        settings: {
          type,
          mcp_server_url,
          expires_at: expires_at ? inFuture(expires_at, now) : null,
          refresh: refresh ? refreshSettings(refresh) : null,
        },
        secret: {
          type,
          access_token: new Secret(access_token),
          refresh_token: refresh ? new Secret(refresh.refresh_token) : null,
          client_secret:
            refresh && refresh.token_endpoint_auth.type !== "none"
              ? new Secret(refresh.token_endpoint_auth.client_secret)
              : null,
        },
      };
    }
  }
}

/** Pure: what a patch makes of it. @throws AppError `invalid_request`, also for another type */
export function changedAuth(
  { settings, secret }: CredentialAuth,
  params: AuthUpdateParams,
  now: number,
): CredentialAuth {
  if (params.type === "static_bearer" && settings.type === "static_bearer" && secret.type === "static_bearer") {
    return { settings, secret: { ...secret, token: replaced(secret.token, params.token) } };
  }
  if (
    params.type === "environment_variable" &&
    settings.type === "environment_variable" &&
    secret.type === "environment_variable"
  ) {
    return {
      settings: {
        ...settings,
        networking: params.networking ?? settings.networking,
        injection_location: injection(settings.injection_location, params.injection_location ?? {}),
      },
      secret: { ...secret, value: replaced(secret.value, params.secret_value) },
    };
  }
  if (params.type === "mcp_oauth" && settings.type === "mcp_oauth" && secret.type === "mcp_oauth") {
    return changedOAuth(settings, secret, params, now);
  }
  throw invalid(`auth.type: this credential is of type \`${settings.type}\`, which can't be changed`);
}

function changedOAuth(
  settings: Of<CredentialSettings, "mcp_oauth">,
  secret: Of<CredentialSecret, "mcp_oauth">,
  { access_token, expires_at, refresh }: Of<AuthUpdateParams, "mcp_oauth">,
  now: number,
): CredentialAuth {
  const kept = expires_at === undefined ? settings.expires_at : null;
  return {
    settings: {
      ...settings,
      expires_at: expires_at ? inFuture(expires_at, now) : kept,
      refresh: refresh ? changedRefresh(settings.refresh, refresh) : settings.refresh,
    },
    secret: {
      ...secret,
      access_token: replaced(secret.access_token, access_token),
      refresh_token: replaced(secret.refresh_token, refresh?.refresh_token),
      client_secret: replaced(secret.client_secret, refresh?.token_endpoint_auth?.client_secret),
    },
  };
}

function changedRefresh(
  before: RefreshSettings | null,
  { scope, token_endpoint_auth }: RefreshUpdateParams,
): RefreshSettings {
  if (before === null) {
    throw invalid("auth.refresh: this credential was created without it, and can't be given it; create another one");
  }
  if (token_endpoint_auth && before.token_endpoint_auth.type === "none") {
    throw invalid("auth.refresh.token_endpoint_auth: this credential's is `none`, which can't be changed");
  }
  return { ...before, scope: scope === "" ? null : (scope ?? before.scope) };
}

function refreshSettings({ client_id, token_endpoint, token_endpoint_auth, scope, resource }: RefreshCreateParams) {
  return {
    client_id,
    token_endpoint,
    token_endpoint_auth: { type: token_endpoint_auth.type },
    scope: scope || null,
    resource: resource || null,
  };
}

function injection(
  before: InjectionLocation,
  { header, body }: { header?: boolean | null | undefined; body?: boolean | null | undefined },
): InjectionLocation {
  const after = { header: header ?? before.header, body: body ?? before.body };
  if (after.header || after.body) return after;
  throw invalid("auth.injection_location: at least one of `header` and `body` must be true");
}

const replaced = <Before extends Secret | null>(before: Before, text: string | null | undefined) =>
  text === null || text === undefined ? before : new Secret(text);

function inFuture(time: string, now: number): string {
  const date = new Date(time);
  if (date.getTime() > now) return date.toISOString();
  throw invalid("auth.expires_at: must be in the future");
}
