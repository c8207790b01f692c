import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import type { ChatStore, DeliveryStore, InboundStore, ThreadStore } from "../shared/chat-store.ts";
import { chatThreadKey, parseChatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";

const Hold = z.object({ owner: z.string(), until: z.number() }).nullable();

const Thread = z.object({
  sessionId: z.string().nullable(),
  generation: z.number(),
  creator: Hold,
  triedSince: z.number().nullable(),
  cursor: z.object({ eventId: z.string(), at: z.string() }).nullable(),
  wakes: z.number(),
  deliveredWake: z.number(),
  lease: Hold,
  postponedUntil: z.number().default(0),
  deliveries: z.record(z.string(), z.object({ ref: z.string().nullable(), fileIds: z.array(z.string()) })),
  inbound: z.record(
    z.string(),
    z.object({ claimedAt: z.number(), settled: z.boolean(), eventId: z.string().nullable() }),
  ),
});
type Thread = z.infer<typeof Thread>;

/** Runs one change on a thread and makes it durable before it resolves. */
type Change = <Result>(key: ChatThreadKey, change: (thread: Thread) => Result) => Promise<Result>;

interface State {
  threads: Map<ChatThreadKey, Thread>;
  change: Change;
}

/**
 * The chat core's memory in one JSON file, for a terminal: it works with any server and needs no database. Only one
 * process may have the file open; what a crashed one held is free at once.
 */
export async function openFileChatStore(file: string): Promise<ChatStore> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const threads = await load(file);
  let last: Promise<void> = Promise.resolve();
  const save = () => {
    last = last.then(async () => {
      const draft = `${file}.draft`;
      await writeFile(draft, JSON.stringify(Object.fromEntries(threads)), { mode: 0o600 });
      await rename(draft, file);
    });
    return last;
  };
  const change: Change = async (key, work) => {
    const thread = threads.get(key) ?? emptyThread();
    const result = work(thread);
    threads.set(key, thread);
    await save();
    return result;
  };
  const state: State = { threads, change };
  return { threads: threadStore(state), deliveries: deliveryStore(state), inbound: inboundStore(state) };
}

function threadStore({ change }: State): ThreadStore {
  return {
    open: (key) =>
      change(key, ({ sessionId, generation, cursor, wakes, deliveredWake }) => ({
        sessionId,
        generation,
        cursor,
        wakes,
        busy: wakes > deliveredWake,
      })),

    reserveSession: (key, owner, ttlMs) =>
      change(key, (thread) => {
        if (thread.sessionId !== null || isHeld(thread.creator)) return null;
        const before = thread.triedSince;
        thread.creator = { owner, until: Date.now() + ttlMs };
        thread.triedSince ??= Date.now();
        return { generation: thread.generation, triedSince: before === null ? null : new Date(before) };
      }),

    bindSession: (key, owner, sessionId) =>
      change(key, (thread) => {
        if (thread.creator?.owner !== owner || thread.sessionId !== null) return false;
        Object.assign(thread, { sessionId, creator: null, triedSince: null });
        return true;
      }),

    cancelReservation: (key, owner) =>
      change(key, (thread) => {
        if (thread.creator?.owner === owner) thread.creator = null;
      }),

    detachSession: (key, sessionId) =>
      change(key, (thread) => {
        if (thread.sessionId !== sessionId) return;
        Object.assign(thread, { sessionId: null, cursor: null, generation: thread.generation + 1 });
      }),
  };
}

function deliveryStore({ change, threads }: State): DeliveryStore {
  return {
    wake: (key) =>
      change(key, (thread) => {
        thread.wakes += 1;
        thread.postponedUntil = 0;
      }),

    lease: (key, owner, ttlMs) =>
      change(key, (thread) => {
        if (thread.lease?.owner !== owner && isHeld(thread.lease)) return false;
        thread.lease = { owner, until: Date.now() + ttlMs };
        return true;
      }),

    release: (key, owner, wakes) =>
      change(key, (thread) => {
        if (thread.lease?.owner !== owner || (wakes !== null && thread.wakes !== wakes)) return false;
        thread.lease = null;
        if (wakes !== null) thread.deliveredWake = wakes;
        return true;
      }),

    postpone: (key, delayMs) =>
      change(key, (thread) => {
        if (!isHeld(thread.lease)) thread.postponedUntil = Date.now() + delayMs;
      }),

    moveCursor: (key, sessionId, cursor) =>
      change(key, (thread) => {
        if (thread.sessionId !== sessionId) return false;
        thread.cursor = cursor;
        return true;
      }),

    intend: (key, item, fileIds = []) =>
      change(key, (thread) => {
        const known = thread.deliveries[item];
        if (known) return { ref: known.ref, fresh: false };
        thread.deliveries[item] = { ref: null, fileIds };
        return { ref: null, fresh: true };
      }),

    settle: (key, item, ref) =>
      change(key, (thread) => {
        const known = thread.deliveries[item];
        if (known) known.ref = ref;
      }),

    files: async (key) =>
      new Map(
        Object.entries(threads.get(key)?.deliveries ?? {}).flatMap(([item, { fileIds }]) =>
          fileIds.map((id): [string, string] => [id, item]),
        ),
      ),

    undelivered: async (surfaces, limit) =>
      [...threads]
        .filter(([, thread]) => thread.wakes > thread.deliveredWake && !isHeld(thread.lease))
        .filter(([, thread]) => thread.postponedUntil <= Date.now())
        .map(([key]) => key)
        .filter((key) => surfaces.includes(parseChatThreadKey(key).surface))
        .slice(0, limit),
  };
}

function inboundStore({ change, threads }: State): InboundStore {
  return {
    claim: (key, messageId, staleMs) =>
      change(key, (thread) => {
        const known = thread.inbound[messageId];
        if (known && (known.settled || known.claimedAt > Date.now() - staleMs)) return "duplicate";
        thread.inbound[messageId] = { claimedAt: Date.now(), settled: false, eventId: null };
        return known ? "unfinished" : "new";
      }),

    settle: (key, messageId, eventId) =>
      change(key, (thread) => {
        thread.inbound[messageId] = { claimedAt: Date.now(), settled: true, eventId };
      }),

    knownEvents: async (key, eventIds) => {
      const ours = Object.values(threads.get(key)?.inbound ?? {}).map((message) => message.eventId);
      return new Set(eventIds.filter((id) => ours.includes(id)));
    },

    abandon: (key, messageId) =>
      change(key, (thread) => {
        const known = thread.inbound[messageId];
        if (known && !known.settled) known.claimedAt = 0;
      }),
  };
}

/** Who held something when the process before this one died holds it no more. */
async function load(file: string): Promise<Map<ChatThreadKey, Thread>> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "{}";
    throw error;
  });
  const saved = z.record(z.string(), Thread).parse(JSON.parse(text));
  const threads = new Map<ChatThreadKey, Thread>();
  for (const [key, thread] of Object.entries(saved)) {
    const inbound = Object.fromEntries(
      Object.entries(thread.inbound).map(([id, message]) => [id, { ...message, claimedAt: 0 }]),
    );
    threads.set(chatThreadKey(parseChatThreadKey(key)), { ...thread, inbound, creator: null, lease: null });
  }
  return threads;
}

function isHeld(hold: z.infer<typeof Hold>): boolean {
  return hold !== null && hold.until > Date.now();
}

function emptyThread(): Thread {
  return {
    sessionId: null,
    generation: 0,
    creator: null,
    triedSince: null,
    cursor: null,
    wakes: 0,
    deliveredWake: 0,
    lease: null,
    postponedUntil: 0,
    deliveries: {},
    inbound: {},
  };
}
