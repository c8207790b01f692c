import type { Method } from "./method.ts";
import { Refusal } from "./refusal.ts";
import type { Installation, StoredFile, World } from "./world.ts";

/** @throws Refusal when the token opens nothing */
export function installationOf(world: World, token: string | undefined): Installation {
  if (!token) throw new Refusal("not_authed");
  const known = world.tokens.get(token);
  if (!known) throw new Refusal("invalid_auth");
  if (known.installation.removed) throw new Refusal("account_inactive");
  if (known.revoked) throw new Refusal("token_revoked");
  if (known.expiresAt !== null && world.clock.now() >= known.expiresAt) throw new Refusal("token_expired");
  return known.installation;
}

/** @throws Refusal. A scope such as `a|b` is had with any of them. */
export function refuseMissingScope({ scopes }: Installation, method: Method): void {
  const needed = method.scopes.find((each) => !each.split("|").some((one) => scopes.has(one)));
  if (needed === undefined) return;
  throw new Refusal("missing_scope", { more: { needed: needed.split("|")[0], provided: [...scopes].join(",") } });
}

/** Whether a download with this token gives the file, rather than a page to sign in. */
export function mayDownload(world: World, token: string | undefined, file: StoredFile): boolean {
  try {
    const installation = installationOf(world, token);
    const channel = file.sharedIn ? world.channels.get(file.sharedIn.channel) : undefined;
    const near = installation.teamIds.includes(file.teamId) || channel?.members.includes(installation.botUserId);
    return Boolean(near) && installation.scopes.has("files:read");
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

export function bearerOf(authorization: string | undefined): string | undefined {
  return authorization?.replace(/^Bearer /, "");
}
