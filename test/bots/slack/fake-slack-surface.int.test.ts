import { chatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { chatSurfaceContract } from "../../contracts/chat-surface.ts";
import { startFakeSlack } from "../../fakes/slack-web-api.ts";
import { apiAt, shownText, surfaceAt, TEAM } from "./surface-rig.ts";

const TOKEN = "xoxb-acme";

for (const [where, channel] of [
  ["in a channel", "C01ENG"],
  ["in a direct message", "D01ALICE"],
] as const) {
  chatSurfaceContract(`Slack, as our fake has it, ${where}`, async () => {
    const slack = await startFakeSlack();
    const open = () => surfaceAt(apiAt(slack.apiUrl, TOKEN));
    return {
      async newThread() {
        const root = slack.say({ channel, user: "U01ALICE", text: "<@U0BOT> hello" });
        return {
          thread: chatThreadKey({ surface: "slack", team: TEAM, channel, threadTs: root.ts }),
          surface: open(),
          afterCrash: async () => open(),
          async seen() {
            const replies = slack.thread(channel, root.ts).filter(({ threadTs }) => threadTs === root.ts);
            const files = replies.flatMap(({ fileIds }) => fileIds.map((id) => slack.world.files.get(id)));
            return {
              texts: shownText(replies),
              files: Object.fromEntries(files.flatMap((file) => (file ? [[file.name, file.bytes.toString()]] : []))),
            };
          },
        };
      },
      async close() {
        await slack.close();
        if (slack.violations.length > 0) throw new Error(slack.violations.join("\n"));
      },
    };
  });
}
