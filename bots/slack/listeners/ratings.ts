import type { App } from "@slack/bolt";
import { ACTION_IDS, parseRating } from "../action-ids.ts";
import type { ListenerDeps } from "./listener-deps.ts";
import { orTell, Press } from "./press.ts";
import { pressedThread } from "./pressed-thread.ts";

/** The feedback buttons under an answer. Slack shows by itself which one was pressed. */
export function listenToRatings(app: App, { core }: ListenerDeps): void {
  app.action(ACTION_IDS.rate, ({ body, ack, respond }) =>
    orTell(respond, async () => {
      const { value, personId } = Press.parse(body);
      const rating = { thread: pressedThread(body), personId, ...parseRating(value) };
      await ack();
      // Also tells the platform, which may take longer than Slack waits.
      await core.rate(rating);
    }),
  );
}
