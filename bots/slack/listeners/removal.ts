import type { App } from "@slack/bolt";
import { z } from "zod";
import { installedTeam } from "../installed-team.ts";
import type { ListenerDeps } from "./listener-deps.ts";

const RevokedTokens = z.looseObject({
  event: z.looseObject({ tokens: z.looseObject({ bot: z.array(z.string()).nullish() }) }),
});

/** The app was removed from a workspace, or its bot token was taken back: its tokens are forgotten. */
export function listenToRemoval(app: App, { log }: ListenerDeps, forget: (team: string) => Promise<void>): void {
  app.event("app_uninstalled", ({ body }) => remove(body));
  app.event("tokens_revoked", async ({ body }) => {
    const revoked = RevokedTokens.safeParse(body).data?.event.tokens.bot ?? [];
    // Tokens of people say nothing of the bot's.
    if (revoked.length > 0) await remove(body);
  });

  async function remove(body: unknown): Promise<void> {
    const team = installedTeam(body);
    if (team === null) return;
    await forget(team);
    log.info({ slack_team: team }, "the Slack app was removed from a workspace");
  }
}
