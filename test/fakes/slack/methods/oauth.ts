import { z } from "zod";
import type { OAuthApp } from "../oauth-app.ts";
import { invalid, Refusal } from "../refusal.ts";
import type { World } from "../world.ts";

const Access = z.strictObject({
  client_id: z.string(),
  client_secret: z.string(),
  code: z.string().optional(),
  redirect_uri: z.string().optional(),
  grant_type: z.enum(["authorization_code", "refresh_token"]).optional(),
  refresh_token: z.string().optional(),
});

/**
 * `oauth.v2.access`: exchanges a code, or a refresh token, each of them once.
 * @throws Refusal
 */
export function oauthAccess(world: World, app: OAuthApp, body: Record<string, unknown>): Record<string, unknown> {
  const parsed = Access.safeParse(body);
  if (!parsed.success) throw invalid("invalid_arguments", [z.prettifyError(parsed.error)]);
  const args = parsed.data;
  if (args.client_id !== app.clientId) throw new Refusal("invalid_client_id");
  if (args.client_secret !== app.clientSecret) throw new Refusal("bad_client_secret");
  if (args.grant_type === "refresh_token") {
    const installation = app.takeRefreshToken(args.refresh_token ?? "");
    if (!installation) throw new Refusal("invalid_refresh_token");
    return answer(world, app, app.issue(installation));
  }
  const grant = app.takeCode(args.code ?? "");
  if (!grant) throw new Refusal("invalid_code");
  if (grant.redirectUri !== args.redirect_uri) throw new Refusal("bad_redirect_uri");
  return answer(world, app, app.issue(grant.installation), grant.user);
}

function answer(world: World, app: OAuthApp, issued: ReturnType<OAuthApp["issue"]>, user?: string) {
  const { installation, token, refreshToken, expiresInSeconds } = issued;
  const team = world.teams.get(installation.teamIds[0] ?? "");
  const rotation = { refresh_token: refreshToken, expires_in: expiresInSeconds };
  return {
    access_token: token,
    token_type: "bot",
    scope: [...installation.scopes].join(","),
    bot_user_id: installation.botUserId,
    app_id: app.appId,
    team: installation.isEnterprise ? null : { id: team?.id, name: team?.name },
    enterprise: installation.enterpriseId === null ? null : { id: installation.enterpriseId, name: "Grid" },
    is_enterprise_install: installation.isEnterprise,
    ...(user !== undefined && { authed_user: { id: user } }),
    ...(refreshToken !== null && rotation),
  };
}
