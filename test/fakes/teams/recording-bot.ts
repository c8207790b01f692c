import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { recordOf } from "./record-of.ts";

/** A bot that keeps what it hears and answers as it is told. */
export interface RecordingBot {
  endpoint: URL;
  heard: Record<string, unknown>[];
  /** What it answers next, one after another; 200 when there is nothing left. */
  answers: { status: number; body?: unknown }[];
  close(): Promise<void>;
}

export async function startRecordingBot(): Promise<RecordingBot> {
  const heard: RecordingBot["heard"] = [];
  const answers: RecordingBot["answers"] = [];
  const server = createServer((request, response) => {
    void json(request).then((activity) => {
      heard.push(recordOf(activity));
      const { status, body } = answers.shift() ?? { status: 200 };
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/messages`),
    heard,
    answers,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
