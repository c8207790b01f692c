import path from "node:path";
import { z } from "zod";
import { type Spawned, startProcess } from "../../../../bench/spawned.ts";
import { freePort } from "../../../../src/embedded/free-port.ts";
import { ROOT } from "../../support/test-home.ts";

const CLI = path.join(ROOT, "node_modules/@microsoft/m365agentsplayground/cli.js");
const START_TIMEOUT_MS = 150_000;

const Config = z.object({
  config: z.object({
    bot: z.object({ id: z.string(), name: z.string() }),
    currentUser: z.object({ id: z.string() }),
    personalChat: z.object({ id: z.string() }),
    groupChats: z.array(z.object({ id: z.string() })).min(1),
    teams: z.array(z.object({ channels: z.array(z.object({ id: z.string() })).min(1) })).min(1),
  }),
});
const Posted = z.object({ messageId: z.string(), postConversationId: z.string().optional() });
const Seen = z.looseObject({
  action: z.string(),
  actionConversationId: z.string().optional(),
  message: z
    .looseObject({
      messageId: z.string(),
      text: z.string().optional(),
      attachments: z.array(z.looseObject({ content: z.unknown() })).optional(),
    })
    .optional(),
});

/** What a person sees happen, as the playground tells its page. */
export type Seen = z.infer<typeof Seen>;

/** Microsoft's local stand-in for Teams, as it comes from the registry, driven as its page in a browser drives it. */
export interface Playground {
  personal: string;
  group: string;
  channel: string;
  seen: readonly Seen[];
  /** Resolves with the conversation that it is in: of a channel, the new thread. */
  say(conversation: string, text: string, options?: { mention: boolean }): Promise<string>;
  /** Presses an `Action.Execute`. Resolves with the bot's answer. */
  execute(conversation: string, messageId: string, action: { verb: string; data: unknown }): Promise<unknown>;
  close(): Promise<void>;
}

/** @param dir where it may leave its own files */
export async function startPlayground(endpoint: string, dir: string): Promise<Playground> {
  const port = String(await freePort());
  const args = ["start", "-e", endpoint, "-c", "msteams", "-p", port, "--disable-telemetry"];
  const spawned = startProcess("env", ["-C", dir, "node", CLI, ...args], { set: { TEAMSAPPTESTER_BROWSER: "none" } });
  try {
    await spawned.firstLine(/(Listening on \d+)/, START_TIMEOUT_MS);
    return await openPlayground(spawned, `http://localhost:${port}`);
  } catch (error) {
    await spawned.kill("SIGKILL");
    throw error;
  }
}

async function openPlayground(spawned: Spawned, url: string): Promise<Playground> {
  const { config } = Config.parse(await (await fetch(`${url}/_internal/v1/config`)).json());
  const { bot, currentUser: from } = config;
  const seen: Seen[] = [];
  const socket = new WebSocket(`${url.replace("http", "ws")}/_ws_conversation/v1/conversations/stream`);
  socket.addEventListener("message", ({ data }) => seen.push(Seen.parse(JSON.parse(String(data)))));
  const post = async (where: string, body: object): Promise<unknown> => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/_conversation/v1/${where}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`The playground answered ${answer.status}: ${await answer.text()}`);
    const text = await answer.text();
    return text === "" ? null : JSON.parse(text);
  };
  return {
    personal: config.personalChat.id,
    group: config.groupChats[0]?.id ?? "",
    channel: config.teams[0]?.channels[0]?.id ?? "",
    seen,
    async say(conversation, text, { mention } = { mention: false }) {
      const called = `<at>${bot.name}</at>`;
      const mentions = mention ? [{ mentioned: { id: bot.id }, text: called }] : [];
      const words = mention ? `${called} ${text}` : text;
      const message = { from, text: words, textFormat: "plain", ...(mention && { mentions }) };
      const where = `conversations/${encodeURIComponent(conversation)}/messages`;
      const posted = Posted.parse(await post(where, message));
      return posted.postConversationId ?? conversation;
    },
    execute: (conversation, messageId, { verb, data }) =>
      post("invoke", {
        name: "adaptiveCard/action",
        from,
        conversation: { id: conversation },
        replyToId: messageId,
        value: { action: { type: "Action.Execute", verb, data }, trigger: "manual" },
      }),
    async close() {
      socket.close();
      await spawned.kill("SIGKILL");
    },
  };
}
