import { Readable } from "node:stream";
import Anthropic from "@anthropic-ai/sdk";
import { createDatabaseChatStore } from "../../bots/shared/database-chat-store.ts";
import type { ChatStore } from "../../bots/shared/chat-store.ts";
import type { SurfaceLimits } from "../../bots/shared/chat-surface.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";
import { deliverThread } from "../../bots/shared/deliver.ts";
import type { DeliveryRecords } from "../../bots/shared/delivery-scope.ts";
import { createDatabase } from "../../src/database.ts";
import { createChatService } from "../fakes/chat-surface.ts";
import { startFlakyNetwork } from "../fakes/flaky-network.ts";
import { createPlayedTurns, requestEnd, said, tool } from "../fakes/played-turns.ts";
import { createSession, startApi, userMessage } from "./api.ts";
import { SILENT } from "./silent-log.ts";

/** Stands for SIGKILL: nothing after it runs, in particular no cleaning up in the store. */
export class Killed extends Error {}

export interface DeliverOptions {
  client?: Anthropic;
  store?: ChatStore;
  records?: DeliveryRecords;
  limits?: Partial<SurfaceLimits>;
  signal?: AbortSignal;
}

/** A real API without a harness, whose part the test plays, reached through a network that the test can break. */
export async function startDeliveryRig() {
  const api = await startApi();
  const database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  const network = await startFlakyNetwork(api.baseURL);
  const turns = createPlayedTurns(api.eventLog);
  const client = new Anthropic({ baseURL: network.url, apiKey: api.key, maxRetries: 0 });
  let threadCount = 0;

  return {
    api,
    database,
    network,
    turns,
    client,

    /** A thread with a session, a chat service, and deliverers that come and go. */
    async openThread() {
      const key: ChatThreadKey = `slack:T1:C1:${++threadCount}.0`;
      const session = await createSession(api.client);
      const store = createDatabaseChatStore(database);
      await store.threads.open(key);
      await store.threads.reserveSession(key, "test", 60_000);
      await store.threads.bindSession(key, "test", session.id);
      const service = createChatService();
      const deliver = (options: DeliverOptions = {}) =>
        deliverThread(
          {
            client: options.client ?? client,
            surface: service.surface(options.limits),
            store: options.store ?? store,
            ...(options.records && { records: options.records }),
            log: SILENT,
            leaseMs: 60_000,
            quietMs: 2_000,
          },
          key,
          options.signal ?? new AbortController().signal,
        );
      return { key, sessionId: session.id, store, service, deliver };
    },

    /** A turn begins: somebody wrote something, and a harness has taken it up. */
    async begin(sessionId: string) {
      await api.client.beta.sessions.events.send(sessionId, { events: [userMessage("go")] });
      await turns.takeUp(sessionId);
    },

    async playWholeTurn(sessionId: string, answer: string) {
      await this.begin(sessionId);
      await turns.commit(
        sessionId,
        said("I look at the file."),
        tool("bash", { command: "python3 look.py" }),
        requestEnd(1200),
      );
      await turns.commit(sessionId, said(answer));
      await turns.idle(sessionId);
    },

    output: (sessionId: string, path: string, content: string, preview: string | null = null) =>
      api.files.saveOutput({
        workspaceId: api.workspaceId,
        sessionId,
        path,
        mtimeNs: String(process.hrtime.bigint()),
        content: Readable.from([Buffer.from(content)]),
        preview: preview === null ? null : Buffer.from(preview),
      }),

    /** What a dead deliverer held is free. */
    expireLease: (key: ChatThreadKey) =>
      database.pool.query("UPDATE chat_threads SET lease_until = now() - interval '1 s' WHERE key = $1", [key]),

    async close() {
      await network.close();
      await database.close();
      await api.stop();
    },
  };
}

export type DeliveryRig = Awaited<ReturnType<typeof startDeliveryRig>>;

/** The store of a process that dies at the nth call of this method, before or after the database has done it. */
export function dyingStore(
  store: ChatStore,
  method: "intend" | "settle" | "moveCursor",
  when: "before" | "after",
  nth = 1,
): ChatStore {
  let calls = 0;
  let dead = false;
  const wrap =
    (name: string, work: (...args: never[]) => Promise<unknown>) =>
    async (...args: never[]) => {
      if (dead) throw new Killed();
      const strikes = name === method && ++calls === nth;
      if (strikes && when === "before") dead = true;
      if (dead) throw new Killed();
      const result = await work(...args);
      if (strikes) dead = true;
      if (dead) throw new Killed();
      return result;
    };
  const deliveries = Object.fromEntries(
    Object.entries(store.deliveries).map(([name, work]) => [name, wrap(name, work)]),
  ) as unknown as ChatStore["deliveries"];
  return { ...store, deliveries };
}
