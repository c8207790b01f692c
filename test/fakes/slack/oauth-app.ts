import type { Installation, World } from "./world.ts";

const DEFAULT_LIFETIME_SECONDS = 43_200;

interface Grant {
  installation: Installation;
  redirectUri: string | undefined;
  user: string;
}

/** The app as the authorisation server knows it. */
export interface OAuthApp {
  readonly appId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** What Slack would bring to the redirect URL after a person agreed. */
  code(grant: Grant): string;
  takeCode(code: string): Grant | undefined;
  takeRefreshToken(token: string): Installation | undefined;
  /** A new token; a rotating app's expires, and the installation's older ones go on until their own end. */
  issue(installation: Installation): {
    installation: Installation;
    token: string;
    refreshToken: string | null;
    expiresInSeconds: number;
  };
}

export interface OAuthAppOptions {
  appId: string;
  clientId: string;
  clientSecret: string;
  /** Null: tokens last, and there are no refresh tokens. */
  tokenLifetimeSeconds?: number | null;
}

export function createOAuthApp(world: World, options: OAuthAppOptions): OAuthApp {
  const { appId, clientId, clientSecret, tokenLifetimeSeconds = null } = options;
  const codes = new Map<string, Grant>();
  const refreshTokens = new Map<string, Installation>();

  return {
    appId,
    clientId,
    clientSecret,
    code(grant) {
      const code = world.nextId("code-");
      codes.set(code, grant);
      return code;
    },
    takeCode(code) {
      const grant = codes.get(code);
      codes.delete(code);
      return grant;
    },
    takeRefreshToken(token) {
      const installation = refreshTokens.get(token);
      refreshTokens.delete(token);
      return installation;
    },
    issue(installation) {
      const rotates = tokenLifetimeSeconds !== null;
      const value = world.nextId(rotates ? "xoxe.xoxb-1-" : "xoxb-");
      const expiresAt = rotates ? world.clock.now() + tokenLifetimeSeconds * 1000 : null;
      world.tokens.set(value, { value, installation, expiresAt, revoked: false });
      installation.removed = false;
      const refreshToken = rotates ? world.nextId("xoxe-1-") : null;
      if (refreshToken !== null) refreshTokens.set(refreshToken, installation);
      const expiresInSeconds = tokenLifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS;
      return { installation, token: value, refreshToken, expiresInSeconds };
    },
  };
}
