import { describe } from "vitest";
import { chatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { chatSurfaceContract } from "../../contracts/chat-surface.ts";
import { localSlackUnavailable, startLocalSlack } from "../../support/local-slack.ts";
import { apiAt, shownText, surfaceAt, TEAM } from "./surface-rig.ts";

const CHANNEL = "C01ENG";
const TOKEN = "xoxb-ops";

/** There is a build of it for Linux on x64 alone, where it must run. */
describe.runIf(localSlackUnavailable() === null)("against an emulator that is not ours", () => {
  chatSurfaceContract("Slack, as local-slack has it", async () => {
    const slack = await startLocalSlack({
      apps: [
        {
          appId: "A01OPS",
          botUserId: "U0BOT",
          botName: "ops-agent",
          botToken: TOKEN,
          appToken: "xapp-ops",
          signingSecret: "secret",
          mode: "socket",
        },
      ],
      users: [{ id: "U01ALICE", name: "alice", real_name: "Alice" }],
      channels: [{ id: CHANNEL, name: "eng", members: ["U01ALICE", "U0BOT"] }],
    });
    const open = () => surfaceAt(apiAt(slack.apiUrl, TOKEN));
    return {
      async newThread() {
        const root = await slack.say({ channel: CHANNEL, user: "U01ALICE", text: "<@U0BOT> hello" });
        return {
          thread: chatThreadKey({ surface: "slack", team: TEAM, channel: CHANNEL, threadTs: root.ts }),
          surface: open(),
          afterCrash: async () => open(),
          async seen() {
            const replies = (await slack.messages(CHANNEL)).filter(({ thread_ts }) => thread_ts === root.ts);
            const files: Record<string, string> = {};
            for (const file of replies.flatMap(({ files = [] }) => files))
              files[file.name] = (await slack.download(file, TOKEN)).toString();
            return { texts: shownText(replies), files };
          },
        };
      },
      close: slack.close,
    };
  });
});
