import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeSlack, startFakeSlack } from "../slack-web-api.ts";

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

let fake: FakeSlack;
let received: Received[];
let answer: (response: ServerResponse) => void;
let url: URL;
const server = createServer((request, response) => {
  void text(request).then((body) => {
    received.push({ headers: request.headers, body });
    answer(response);
  });
});

beforeEach(async () => {
  received = [];
  answer = (response) => void response.writeHead(200).end();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`);
  fake = await startFakeSlack({ deliverTo: url, retryDelaysMs: [0, 0, 0] });
});
afterEach(async () => {
  await fake.close();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const MENTION = { channel: "C01ENG", user: "U01ALICE", text: "<@U0BOT> hello" };

describe("events", () => {
  it("a mention comes as a message and as an app_mention, with one ts and two event ids", async () => {
    const said = fake.say(MENTION);
    await said.done;
    const bodies = received.map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ event }) => event.type).toSorted((a: string, b: string) => a.localeCompare(b))).toEqual([
      "app_mention",
      "message",
    ]);
    expect(bodies.map(({ event }) => event.ts)).toEqual([said.ts, said.ts]);
    expect(new Set(bodies.map(({ event_id }) => event_id)).size).toBe(2);
  });

  it("are signed", async () => {
    await fake.say(MENTION).done;
    for (const { headers, body } of received) {
      const signed = `v0:${String(headers["x-slack-request-timestamp"])}:${body}`;
      const digest = createHmac("sha256", fake.signingSecret).update(signed).digest("hex");
      expect(headers["x-slack-signature"]).toBe(`v0=${digest}`);
    }
  });

  it("come three times more when they are not taken, with the same id and the retry's number", async () => {
    answer = (response) => void response.writeHead(500).end();
    const said = fake.say({ ...MENTION, text: "hello" });
    await said.done;
    expect(received.map(({ headers }) => headers["x-slack-retry-num"])).toEqual([undefined, "1", "2", "3"]);
    expect(received[1]?.headers["x-slack-retry-reason"]).toBe("http_error");
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(said.deliveries.map(({ acked }) => acked)).toEqual([false]);
  });

  it("come again when the answer is late", async () => {
    answer = (response) => {
      if (received.length > 1) response.writeHead(200).end();
    };
    const hasty = await startFakeSlack({ deliverTo: url, retryDelaysMs: [0, 0, 0], ackTimeoutMs: 50 });
    await hasty.say({ ...MENTION, text: "hello" }).done;
    await hasty.close();
    expect(received[1]?.headers["x-slack-retry-reason"]).toBe("http_timeout");
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  it("can be sent once more though they were taken", async () => {
    const said = fake.say({ ...MENTION, text: "hello" });
    await said.done;
    const [delivery] = said.deliveries;
    if (delivery) await fake.redeliver(delivery);
    expect(received.map(({ body }) => body)).toEqual([received[0]?.body, received[0]?.body]);
    expect(received[1]?.headers["x-slack-retry-num"]).toBe("1");
  });

  it("an edited mention fires again, with edited and a new event id", async () => {
    const said = fake.say(MENTION);
    await said.done;
    await fake.edit("C01ENG", said.ts, "<@U0BOT> hello there").done;
    const mentions = events().filter(({ event }) => event.type === "app_mention");
    expect(mentions.map(({ event }) => Boolean(event.edited))).toEqual([false, true]);
    expect(new Set(mentions.map(({ event_id }) => event_id)).size).toBe(2);
  });

  it("do not come from channels that the app is not in", async () => {
    await fake.say({ ...MENTION, channel: "C03OUT" }).done;
    expect(received).toEqual([]);
  });

  it("from an enterprise and from a shared channel say so", async () => {
    await fake.say({ channel: "C31GRID", user: "W31DANA", text: "hello" }).done;
    await fake.say({
      channel: "C05SHARED",
      user: "U91STRANGER",
      text: "hi",
      files: [{ name: "a.txt", bytes: Buffer.from("a") }],
    }).done;
    expect(events()).toMatchObject([
      {
        team_id: "T31",
        enterprise_id: "E01GRID",
        authorizations: [{ enterprise_id: "E01GRID", team_id: null, is_enterprise_install: true }],
      },
      {
        team_id: "T01ACME",
        is_ext_shared_channel: true,
        event: { user_team: "T09OTHER", files: [{ file_access: "check_file_info" }] },
      },
    ]);
    expect(events()[1]?.event.files[0]).not.toHaveProperty("url_private_download");
  });

  it("stopping a session ends its streams and names them", async () => {
    await fake.stopSession({ channel: "D01ALICE", threadTs: "1790000000.000100", user: "U01ALICE" }).done;
    await fake.openHome("U01ALICE", "messages").done;
    await fake.uninstall("T01ACME").done;
    expect(events().map(({ event }) => event.type)).toEqual([
      "agent_session_stopped",
      "app_home_opened",
      "app_uninstalled",
      "tokens_revoked",
    ]);
  });
});

it("presses and commands come once, and what the app answers is kept", async () => {
  answer = (response) => void response.writeHead(500).end("no");
  const sent = fake.command({ channel: "C01ENG", user: "U02BOB", command: "/agent", text: "help" });
  await sent.done;
  expect(sent.deliveries[0]?.attempts).toEqual([{ status: 500, body: "no" }]);
  const form = Object.fromEntries(new URLSearchParams(received[0]?.body));
  expect(form).toMatchObject({ command: "/agent", text: "help", team_id: "T01ACME", user_id: "U02BOB" });
  expect(form).not.toHaveProperty("thread_ts");
});

it("a response URL is good for five answers within half an hour", async () => {
  const responseUrl = async () => {
    await fake.command({ channel: "C01ENG", user: "U02BOB", command: "/agent", text: "help" }).done;
    return new URLSearchParams(received.at(-1)?.body).get("response_url") ?? "";
  };
  const post = async (to: string) =>
    (await fetch(to, { method: "POST", body: JSON.stringify({ text: "here" }) })).status;
  const used = await responseUrl();
  for (let use = 1; use <= 5; use++) expect(await post(used)).toBe(200);
  expect(await post(used)).toBe(404);
  const old = await responseUrl();
  fake.clock.advance(30 * 60_000 + 1);
  expect(await post(old)).toBe(404);
  expect(fake.violations).toEqual(["response_url: used_url", "response_url: expired_url"]);
});

function events() {
  return received.map(({ body }) => JSON.parse(body));
}
