import path from "node:path";
import { z } from "zod";
import { type Mentions, SentMention, SlackCall } from "./slack-wire.ts";
import { startProcess } from "./spawned.ts";

const START_TIMEOUT_MS = 10_000;

export interface SlackProcess {
  /** What `SLACK_API_URL` is to be. */
  apiUrl: string;
  /** The calls it has had, oldest first. */
  calls(): Promise<SlackCall[]>;
  /** Resolves when all of them are acknowledged. */
  mention(mentions: Mentions): Promise<SentMention[]>;
  stop(): Promise<void>;
}

/** The Slack server in a process of its own, so that it takes no time from whoever is measured. */
export async function startSlackProcess(): Promise<SlackProcess> {
  const started = startProcess(process.execPath, [path.join(import.meta.dirname, "slack-server.ts")]);
  const url = await started.firstLine(/^(http:\/\/\S+)$/m, START_TIMEOUT_MS);
  return {
    apiUrl: `${url}/api/`,
    calls: async () => z.array(SlackCall).parse(await (await fetch(`${url}/calls`)).json()),
    async mention(mentions) {
      const response = await fetch(`${url}/mentions`, { method: "POST", body: JSON.stringify(mentions) });
      if (!response.ok) throw new Error(`Mentions could not be sent: ${await response.text()}`);
      return z.array(SentMention).parse(await response.json());
    },
    stop: () => started.kill("SIGKILL"),
  };
}
