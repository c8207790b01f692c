import type { App } from "@slack/bolt";
import { z } from "zod";
import { homeView, REFRESH_ACTION } from "../home-view.ts";
import { installedTeam } from "../installed-team.ts";
import { SUGGESTED_PROMPTS } from "../suggested-prompts.ts";
import type { ListenerDeps } from "./listener-deps.ts";
import { Press } from "./press.ts";

const Opened = z.looseObject({
  event: z.looseObject({ user: z.string(), channel: z.string(), tab: z.enum(["home", "messages"]).optional() }),
});
const Ok = z.looseObject({});
const HOME_WITHIN_MS = 20_000;

/**
 * The Home tab, and the prompts in an empty conversation. Both are made after the acknowledgement: they ask the platform, which
 * may be slow, and nothing is lost without them.
 */
export function listenToHome(app: App, { api, core, afterwards }: ListenerDeps): void {
  app.event("app_home_opened", async ({ body }) => {
    const opened = Opened.safeParse(body).data?.event;
    const team = installedTeam(body);
    if (!opened || team === null) return;
    if (opened.tab === "messages") afterwards.run("suggest prompts", (signal) => suggest(team, opened.channel, signal));
    else show(team, opened.user);
  });

  app.action(REFRESH_ACTION, async ({ body, ack }) => {
    await ack();
    const team = installedTeam(body);
    if (team !== null) show(team, Press.parse(body).personId);
  });

  function show(team: string, personId: string): void {
    afterwards.run("show the home tab", async (stopping) => {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(HOME_WITHIN_MS)]);
      const view = homeView(await core.home(team, personId, signal));
      await api.call(
        { team, method: "views.publish" },
        (client) => client.views.publish({ user_id: personId, view }),
        Ok,
        signal,
      );
    });
  }

  async function suggest(team: string, channel: string, signal: AbortSignal): Promise<void> {
    await api.call(
      { team, method: "assistant.threads.setSuggestedPrompts" },
      (client) => client.assistant.threads.setSuggestedPrompts({ channel_id: channel, prompts: SUGGESTED_PROMPTS }),
      Ok,
      signal,
    );
  }
}
