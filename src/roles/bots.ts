import { backOff } from "../../bots/shared/backoff.ts";
import type { DefaultAgent } from "../../bots/shared/default-agent.ts";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { Teardown } from "../teardown.ts";
import { type ChatCoreOptions, createChatCore, startChatWorkers } from "./chat-core.ts";
import type { Platform } from "./platform.ts";
import { openSlack } from "./slack.ts";
import { slackCore } from "./slack-core.ts";
import { openTeams } from "./teams.ts";

export interface RunningBots {
  /** How Slack is connected, in words for whoever started it; null when it is not set up. */
  slack: string | null;
  /** How Teams is; the same. */
  teams: string | null;
  /** Takes no more in, then lets go of what is being taken in and delivered: others, or the next start, go on with it. */
  stop(): Promise<void>;
}

/**
 * The bots: clients of the API, which need not be up. What people do is kept meanwhile, and taken in when it is.
 * @throws TerminalError when a chat refuses its token; with everything undone
 */
export async function startBots(platform: Platform, options: ChatCoreOptions): Promise<RunningBots> {
  const { config, log, queue } = platform;
  if (config.slack === null && config.teams === null) {
    log.info("no chat surface is configured");
    return { slack: null, teams: null, stop: async () => {} };
  }
  const started = new Teardown();
  try {
    const core = createChatCore(platform, options);
    const slack = config.slack && (await openSlack(platform, config.slack, core.records.directory));
    const teams = config.teams && (await openTeams(platform, config.teams, core));
    const chats = [slack, teams].flatMap((open) => (open ? [open.chat] : []));
    const workers = await startChatWorkers(core, queue, chats);
    started.add(() => workers.stop());
    const warming = warmUp(core.defaultAgent, log);
    started.add(() => warming.stop());
    const running = slack && (await slack.start({ ...slackCore(core, slack.chat), names: slack.names }));
    if (running) started.add(() => running.stop());
    const runningTeams = teams && (await teams.start());
    if (runningTeams) started.add(() => runningTeams.stop());
    return { slack: running?.summary ?? null, teams: runningTeams?.summary ?? null, stop: () => started.run() };
  } catch (error) {
    await started.run();
    throw error;
  }
}

/** Looks the default agent up before anybody needs it, so that the first message does not wait for that. */
function warmUp(agent: DefaultAgent, log: Logger): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const done = run();
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };

  async function run(): Promise<void> {
    for (let failures = 1; !stopping.signal.aborted; failures++) {
      try {
        await agent.get();
        return;
      } catch (error) {
        log.warn({ error: messageOf(error) }, "the API does not name the default agent yet");
        // The loop looks at the signal itself.
        await backOff(failures, stopping.signal).catch(() => undefined);
      }
    }
  }
}
