import type { X509Certificate } from "node:crypto";
import { signingKey, readJwt, signJwt } from "./jwt.ts";
import { bearerOf, type Call, type Operation } from "./operation.ts";
import { recordOf } from "./record-of.ts";
import { Refusal } from "./refusal.ts";
import type { World } from "./world.ts";

export type Audience = "connector" | "graph";

/** What a token that was given out opens. */
export interface Grant {
  audience: Audience;
  tenantId: string;
  expiresAt: number;
}

export interface AppRegistration {
  appId: string;
  password: string;
  /** Where the app is registered; null for a multi-tenant bot, whose connector tokens come from `botframework.com`. */
  tenantId: string | null;
  /** Null for those who have a password. */
  certificate: X509Certificate | null;
  tokenLifetimeSeconds: number;
}

/** Entra's token endpoint for apps: `POST /<tenant>/oauth2/v2.0/token`. */
export interface Login {
  operations: readonly Operation[];
  /** @throws Refusal 401 unless the call has a token that this endpoint gave out for that audience, still valid */
  grantOf(call: Call, audience: Audience): Grant;
}

const AUDIENCES = new Map<string, Audience>([
  ["https://api.botframework.com/.default", "connector"],
  ["https://graph.microsoft.com/.default", "graph"],
]);
const BOTFRAMEWORK = "botframework.com";
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

export function createLogin(world: World, app: AppRegistration): Login {
  const key = signingKey("entra-key");
  const grants = new Map<string, Grant>();

  const issue = (audience: Audience, tenantId: string): string => {
    const now = Math.floor(world.clock.now() / 1000);
    const exp = now + app.tokenLifetimeSeconds;
    const aud = audience === "graph" ? "https://graph.microsoft.com" : "https://api.botframework.com";
    const roles = audience === "graph" ? [...(world.tenants.get(tenantId)?.graphPermissions ?? [])] : [];
    const claims = { aud, iss: `https://sts.windows.net/${tenantId}/`, tid: tenantId, appid: app.appId, ver: "1.0" };
    const token = signJwt({ ...claims, roles, iat: now, nbf: now, exp, uti: world.nextId("token-") }, key);
    grants.set(token, { audience, tenantId, expiresAt: exp * 1000 });
    return token;
  };

  return {
    operations: [
      {
        name: "token",
        method: "POST",
        path: /^\/([^/]+)\/oauth2\/v2\.0\/token$/,
        run(call) {
          const form = new URLSearchParams(call.body.toString("utf8"));
          const tenantId = call.params[0] ?? "";
          if (form.get("grant_type") !== "client_credentials")
            throw new Refusal(400, "AADSTS70003", "unsupported_grant_type: client_credentials only.");
          proveClient(app, form, tenantId, world.clock.now());
          const scope = form.get("scope") ?? "";
          const audience = AUDIENCES.get(scope);
          if (!audience)
            throw new Refusal(400, "AADSTS500011", `invalid_resource: no such resource: ${scope}`, {
              violation: `a token was asked for ${scope}`,
            });
          refuseTenant(world, app, audience, tenantId);
          const expires_in = app.tokenLifetimeSeconds;
          const access_token = issue(audience, tenantId);
          return { status: 200, body: { token_type: "Bearer", expires_in, ext_expires_in: expires_in, access_token } };
        },
      },
    ],
    grantOf(call, audience) {
      const grant = grants.get(bearerOf(call) ?? "");
      if (!grant) throw new Refusal(401, "Unauthorized", "Authorization has been denied for this request.");
      if (grant.audience !== audience)
        throw new Refusal(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.", {
          violation: `a token for ${grant.audience} was sent to ${audience}`,
        });
      if (grant.expiresAt <= world.clock.now())
        throw new Refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.");
      return grant;
    },
  };
}

/** @throws Refusal */
function proveClient(app: AppRegistration, form: URLSearchParams, tenantId: string, now: number): void {
  if (form.get("client_id") !== app.appId)
    throw new Refusal(400, "AADSTS700016", `unauthorized_client: no application ${form.get("client_id")}.`);
  const assertion = form.get("client_assertion");
  if (assertion === null) {
    if (app.password !== "" && form.get("client_secret") === app.password) return;
    throw new Refusal(401, "AADSTS7000215", "invalid_client: Invalid client secret provided.");
  }
  const claims = app.certificate === null ? null : readJwt(assertion, app.certificate.publicKey);
  const meant = String(claims?.["aud"]).endsWith(`/${tenantId}/oauth2/v2.0/token`);
  const fresh = typeof claims?.["exp"] === "number" && claims["exp"] * 1000 > now;
  const typed = form.get("client_assertion_type") === ASSERTION_TYPE;
  if (
    !fresh ||
    !typed ||
    !meant ||
    x5tOf(assertion) !== app.certificate?.fingerprint ||
    claims["iss"] !== app.appId ||
    claims["sub"] !== app.appId
  )
    throw new Refusal(401, "AADSTS700027", "invalid_client: The certificate is not registered, or the time is wrong.");
}

/** Single-tenant bots ask at home for the connector; Graph is asked for in the tenant whose data it is. @throws Refusal */
function refuseTenant(world: World, app: AppRegistration, audience: Audience, tenantId: string): void {
  const right = audience === "connector" ? tenantId === (app.tenantId ?? BOTFRAMEWORK) : world.tenants.has(tenantId);
  if (right) return;
  throw new Refusal(400, "AADSTS700016", `unauthorized_client: the application was not found in ${tenantId}.`, {
    violation: `a ${audience} token was asked for in tenant ${tenantId}`,
  });
}

/** The SHA-1 of the certificate that it names, as Node writes fingerprints. */
function x5tOf(assertion: string): string {
  const header = recordOf(JSON.parse(Buffer.from(assertion.split(".")[0] ?? "", "base64url").toString("utf8")));
  const digest = Buffer.from(String(header["x5t"]), "base64url").toString("hex").toUpperCase();
  return digest.replaceAll(/(..)(?=.)/g, "$1:");
}
