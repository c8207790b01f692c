import { once } from "node:events";
import type { Server } from "node:http";
import { App } from "@slack/bolt";
import { SILENT_SLACK_LOG } from "./slack-client.ts";

interface World {
  apiUrl: string;
  appToken: string;
  signingSecret: string;
}

export interface BoltApp {
  /** What it was told, one line each: `app_mention <ts>`, `press <action>`. */
  seen: string[];
  /** Where HTTP deliveries go; null in Socket Mode. */
  requestUrl: URL | null;
  stop(): Promise<void>;
}

/**
 * The real Bolt, which notes mentions, messages, presses, commands and submissions, opens a modal at the press of `ask`,
 * and answers mentions in their thread with a button.
 */
export async function startBoltApp(world: World, transport: "http" | "socket", port = 0): Promise<BoltApp> {
  const seen: string[] = [];
  const clientOptions = { slackApiUrl: world.apiUrl, retryConfig: { retries: 0 } };
  const base = { token: "xoxb-acme", clientOptions, logger: SILENT_SLACK_LOG };
  const app = new App(
    transport === "http"
      ? { ...base, signingSecret: world.signingSecret }
      : { ...base, appToken: world.appToken, socketMode: true },
  );
  app.event("app_mention", async ({ event, say }) => {
    seen.push(`app_mention ${event.ts}`);
    const button = { type: "button" as const, action_id: "ask", text: { type: "plain_text" as const, text: "Ask" } };
    await say({ text: "What is it?", thread_ts: event.ts, blocks: [{ type: "actions", elements: [button] }] });
  });
  app.message(async ({ message }) => void seen.push(`message ${message.ts}`));
  app.action({ type: "block_actions" }, async ({ ack, client, body, action }) => {
    await ack();
    seen.push(`press ${action.action_id}`);
    const input = { type: "plain_text_input" as const, action_id: "words" };
    const label = { type: "plain_text" as const, text: "Words" };
    const view = {
      type: "modal" as const,
      callback_id: "asked",
      title: label,
      submit: label,
      blocks: [{ type: "input" as const, block_id: "said", label, element: input }],
    };
    await client.views.open({ trigger_id: body.trigger_id, view });
  });
  app.view("asked", async ({ ack, view }) => {
    await ack();
    seen.push(`submit ${view.state.values["said"]?.["words"]?.value}`);
  });
  app.command("/agent", async ({ ack, command }) => {
    seen.push(`command ${command.text}`);
    await ack("At your service.");
  });

  const stop = () => app.stop().then(() => undefined);
  if (transport === "socket") {
    await app.start();
    return { seen, requestUrl: null, stop };
  }
  const server = (await app.start({ port, host: "127.0.0.1" })) as Server;
  if (!server.listening) await once(server, "listening");
  const address = server.address();
  const at = typeof address === "object" && address ? address.port : port;
  return { seen, requestUrl: new URL(`http://127.0.0.1:${at}/slack/events`), stop };
}
