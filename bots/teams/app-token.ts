import { createHash, randomUUID, sign, X509Certificate } from "node:crypto";
import { z } from "zod";
import { TerminalError } from "../../src/errors.ts";
import { untilAborted } from "../shared/until-aborted.ts";
import { callTeams } from "./connector-http.ts";
import { TeamsRefusedError } from "./teams-connector.ts";

/** How the app proves to Microsoft that it is itself. */
export type AppCredential =
  | { type: "password"; password: string }
  /** PEM. */
  | { type: "certificate"; certificate: string; privateKey: string }
  /** The machine's own identity, which the platform it runs on gives out tokens for. */
  | { type: "managed_identity"; tokenFor(resource: string): Promise<string> };

export interface AppTokenOptions {
  appId: string;
  credential: AppCredential;
  /** The tenant follows. */
  loginUrl: string;
  now?: () => number;
}

/** Tokens of the app, each kept in memory until shortly before it expires. */
export interface AppTokens {
  /** @throws RetryableError; TerminalError when Microsoft refuses the credential; the signal's reason */
  get(resource: string, tenant: string, signal: AbortSignal): Promise<string>;
}

const TOKEN_TIMEOUT_MS = 10_000;
/** Also what a request may still take that is signed with it. */
const EXPIRES_EARLY_MS = 5 * 60_000;
const ASSERTION_VALID_S = 300;
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const TokenAnswer = z.looseObject({ access_token: z.string().min(1), expires_in: z.coerce.number() });

export function createAppTokens({ appId, credential, loginUrl, now = Date.now }: AppTokenOptions): AppTokens {
  const known = new Map<string, { token: string; until: number }>();
  const asking = new Map<string, Promise<string>>();

  return {
    async get(resource, tenant, signal) {
      if (credential.type === "managed_identity") {
        const inTime = AbortSignal.any([signal, AbortSignal.timeout(TOKEN_TIMEOUT_MS)]);
        return await untilAborted(credential.tokenFor(resource), inTime);
      }
      const key = `${tenant} ${resource}`;
      const found = known.get(key);
      if (found && found.until > now()) return found.token;
      // Asked once for all who need it, so nobody's signal may end it; its own timeout does.
      const asked = asking.get(key) ?? ask(key, resource, tenant).finally(() => asking.delete(key));
      asking.set(key, asked);
      return await untilAborted(asked, signal);
    },
  };

  async function ask(key: string, resource: string, tenant: string): Promise<string> {
    const url = new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, loginUrl).href;
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_id: appId,
      scope: `${resource.replace(/\/$/, "")}/.default`,
      ...proofOf(url),
    }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    try {
      const options = { what: "a token", timeoutMs: TOKEN_TIMEOUT_MS, signal: new AbortController().signal };
      const { text } = await callTeams({ method: "POST", url, headers, body }, options);
      const answer = TokenAnswer.parse(JSON.parse(text));
      known.set(key, { token: answer.access_token, until: now() + answer.expires_in * 1000 - EXPIRES_EARLY_MS });
      return answer.access_token;
    } catch (error) {
      if (!(error instanceof TeamsRefusedError)) throw error;
      const { status, code, message } = error.refusal;
      throw new TerminalError(
        `Microsoft gives this app no token (${status} ${code ?? ""}). Check MICROSOFT_APP_ID, its password or ` +
          `certificate, MICROSOFT_APP_TYPE and MICROSOFT_APP_TENANT_ID. ${message}`.trim(),
      );
    }
  }

  function proofOf(tokenUrl: string): Record<string, string> {
    switch (credential.type) {
      case "password":
        return { client_secret: credential.password };
      case "certificate":
        return {
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: assertionOf(appId, credential, tokenUrl, now()),
        };
      case "managed_identity":
        return {};
    }
  }
}

/** Wire fact: Microsoft's page "certificate credentials for application authentication". */
function assertionOf(
  appId: string,
  { certificate, privateKey }: Extract<AppCredential, { type: "certificate" }>,
  audience: string,
  nowMs: number,
): string {
  const der = new X509Certificate(certificate).raw;
  const issuedAt = Math.floor(nowMs / 1000);
  const header = { alg: "RS256", typ: "JWT", x5t: createHash("sha1").update(der).digest("base64url") };
  const claims = {
    aud: audience,
    iss: appId,
    sub: appId,
    jti: randomUUID(),
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + ASSERTION_VALID_S,
  };
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), privateKey).toString("base64url")}`;
}
