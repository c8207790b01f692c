import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { epochMs } from "./epoch-ms.ts";
import { sendMentions } from "./slack-events.ts";
import { BOT_TOKEN, BOT_USER, Mentions, type SlackCall, TEAM } from "./slack-wire.ts";

/**
 * A Slack that answers at once, in a process of its own. It holds nobody back: it writes down when each call came, so that
 * whoever measures can say afterwards whether limits were kept.
 */
const calls: SlackCall[] = [];
let posted = 0;

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    if (!response.headersSent) response.writeHead(500);
    response.end(String(error));
  });
});
// Hundreds connect at once.
server.listen({ port: 0, host: "127.0.0.1", backlog: 2_048 });
await once(server, "listening");
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
// Ends with whoever started it, however that one ends.
process.stdin.resume().once("end", () => process.exit());

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const receivedAt = epochMs();
  const path = request.url ?? "";
  if (path === "/calls") return json(response, calls);
  if (path === "/mentions") {
    return json(response, await sendMentions(Mentions.parse(JSON.parse(await text(request)))));
  }
  const method = path.replace(/^\/api\//, "");
  const given = await fieldsOf(request);
  calls.push({
    method,
    receivedAt,
    channel: given.get("channel") ?? given.get("channel_id") ?? null,
    message: given.get("thread_ts") ?? given.get("timestamp") ?? null,
    text: given.get("text") ?? "",
  });
  if (request.headers.authorization !== `Bearer ${BOT_TOKEN}`) return json(response, no("invalid_auth"));
  json(response, replyTo(method, given));
}

/** Arguments come as a form, or as JSON; what is not flat stays JSON. */
async function fieldsOf(request: IncomingMessage): Promise<ReadonlyMap<string, string>> {
  const body = await text(request);
  if (!request.headers["content-type"]?.startsWith("application/json")) return new Map(new URLSearchParams(body));
  const fields = Object.entries(z.record(z.string(), z.unknown()).parse(JSON.parse(body)));
  return new Map(fields.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]));
}

function replyTo(method: string, given: ReadonlyMap<string, string>): object {
  const channel = given.get("channel");
  switch (method) {
    case "auth.test":
      return yes({
        team_id: TEAM,
        team: "Bench",
        user_id: BOT_USER,
        bot_id: "B0BENCHBOT",
        url: "https://bench.invalid/",
      });
    case "chat.postMessage":
      return yes({ channel, ts: `${Math.floor(epochMs() / 1000)}.${String(500_000 + ++posted).slice(-6)}` });
    case "chat.update":
      return yes({ channel, ts: given.get("ts") });
    case "reactions.add":
    case "agents.sessions.setStatus":
      return yes({});
    case "conversations.replies":
      return yes({ messages: [], has_more: false });
    case "chat.getPermalink": {
      const permalink = `https://bench.invalid/archives/${channel}/p${given.get("message_ts")?.replace(".", "")}`;
      return yes({ channel, permalink });
    }
    case "users.info":
      return yes({ user: { id: given.get("user"), team_id: TEAM, name: "sam", real_name: "Sam", profile: {} } });
    default:
      return no("unknown_method");
  }
}

const yes = (fields: object) => ({ ok: true, ...fields });
const no = (error: string) => ({ ok: false, error });

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
