/**
 * The token endpoint of an authorization server (RFC 6749 §6), with refresh tokens that work once. It is strict: a second
 * use of one voids all that came of it, as such servers do against thieves, and `close` tells.
 */
import { randomBytes } from "node:crypto";
import { type HttpAnswer, type HttpRequest, json, listenOnLoopback } from "./loopback-http.ts";

export interface FakeOAuthOptions {
  auth?: "none" | "client_secret_basic" | "client_secret_post";
  clientId?: string;
  clientSecret?: string;
  expiresIn?: number;
  /** False for refresh tokens that stay good. */
  rotates?: boolean;
}

interface Family {
  live: boolean;
}

export type FakeOAuth = Awaited<ReturnType<typeof startFakeOAuth>>;

export async function startFakeOAuth(options: FakeOAuthOptions = {}) {
  const { auth = "none", clientId = "client-1", clientSecret = "", expiresIn = 3_600, rotates = true } = options;
  const access = new Map<string, Family>();
  const refresh = new Map<string, Family & { used: boolean; family: Family }>();
  const violations: string[] = [];
  const grants: URLSearchParams[] = [];
  const requests: HttpRequest[] = [];
  const planned: ((request: HttpRequest) => HttpAnswer | null)[] = [];
  let gate = Promise.resolve();
  let arrived = Promise.withResolvers<void>();

  const issue = (family: Family = { live: true }) => {
    const accessToken = `access-${randomBytes(12).toString("hex")}`;
    const refreshToken = `refresh-${randomBytes(12).toString("hex")}`;
    access.set(accessToken, { live: true });
    refresh.set(refreshToken, { live: true, used: false, family });
    return { accessToken, refreshToken };
  };

  const knowsClient = (headers: HttpRequest["headers"], form: URLSearchParams): boolean => {
    const given = headers.authorization;
    if (auth === "client_secret_basic") {
      if (form.has("client_secret")) violations.push("the client secret is sent in two places");
      const encoded = [clientId, clientSecret].map((text) => new URLSearchParams({ _: text }).toString().slice(2));
      return given === `Basic ${Buffer.from(encoded.join(":")).toString("base64")}`;
    }
    if (given !== undefined) return false;
    const secret = auth === "client_secret_post" ? clientSecret : null;
    return form.get("client_id") === clientId && form.get("client_secret") === secret;
  };

  const grant = ({ method, headers, body }: HttpRequest): HttpAnswer => {
    const form = new URLSearchParams(body);
    if (method !== "POST" || headers["content-type"] !== "application/x-www-form-urlencoded") {
      violations.push(`${method} of ${headers["content-type"]}`);
    }
    if (new Set(form.keys()).size !== form.size) violations.push("a parameter is there twice");
    if (!knowsClient(headers, form)) return json(401, { error: "invalid_client" }, { "www-authenticate": "Basic" });
    if (form.get("grant_type") !== "refresh_token") return json(400, { error: "unsupported_grant_type" });
    const token = refresh.get(form.get("refresh_token") ?? "");
    if (token?.used) {
      violations.push("a refresh token was used twice");
      token.family.live = false;
    }
    if (!token || token.used || !token.live || !token.family.live) return json(400, { error: "invalid_grant" });
    token.used = rotates;
    const issued = issue(token.family);
    grants.push(form);
    return json(200, {
      access_token: issued.accessToken,
      token_type: "Bearer",
      expires_in: expiresIn,
      ...(rotates ? { refresh_token: issued.refreshToken } : {}),
    });
  };

  const server = await listenOnLoopback(async (request) => {
    requests.push(request);
    arrived.resolve();
    await gate;
    const plan = planned.shift();
    return plan ? plan(request) : grant(request);
  });

  return {
    tokenEndpoint: `${server.origin}/token`,
    auth,
    clientId,
    clientSecret,
    /** The forms of the requests that got tokens. */
    grants,
    requests,
    issue: () => issue(),
    accepts: (accessToken: string) => access.get(accessToken)?.live === true,
    voidAccess: (accessToken: string) => access.set(accessToken, { live: false }),
    voidRefresh(refreshToken: string) {
      const token = refresh.get(refreshToken);
      if (token) token.live = false;
    },
    /** Answers the next request in its own way; null for never. */
    next: (plan: (request: HttpRequest) => HttpAnswer | null) => planned.push(plan),
    /** Holds back answers until `release`; `arrived` is for the next request. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      arrived = Promise.withResolvers();
      return { arrived: arrived.promise, release: resolve };
    },
    /** Throws what it noted. */
    async close() {
      await server.close();
      if (violations.length > 0) throw new Error(`At the token endpoint: ${violations.join(", ")}.`);
    },
  };
}
