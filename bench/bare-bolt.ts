import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { App, HTTPReceiver, LogLevel } from "@slack/bolt";
import { BOT_TOKEN, SIGNING_SECRET } from "./slack-wire.ts";

/** The least that a Slack app can do: Bolt as its guide has it, with a reaction to each mention. */
const [slackApiUrl = ""] = process.argv.slice(2);
const receiver = new HTTPReceiver({ signingSecret: SIGNING_SECRET, logLevel: LogLevel.ERROR });
const app = new App({ token: BOT_TOKEN, receiver, clientOptions: { slackApiUrl }, logLevel: LogLevel.ERROR });
app.event("app_mention", async ({ event, client }) => {
  await client.reactions.add({ channel: event.channel, timestamp: event.ts, name: "eyes" });
});

const server = createServer((request, response) => receiver.requestListener(request, response));
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events\n`);
// Ends with whoever started it, however that one ends.
process.stdin.resume().once("end", () => process.exit());
