import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventPreview, SessionEvent } from "../../src/schemas/event.ts";
import { createEventLog, type Fence } from "../../src/sessions/event-log.ts";
import { createLive, type FollowOptions, type Live } from "../../src/sessions/live.ts";
import { connectPostgresWakeups } from "../../src/sessions/wakeups-postgres.ts";
import type { Wakeups } from "../../src/sessions/wakeups.ts";
import { breakListeners } from "../support/break-listeners.ts";
import { agentMessage } from "../support/events.ts";
import { openSessionDatabase, type SessionDatabase } from "../support/session-database.ts";
import { SILENT } from "../support/silent-log.ts";

type Item = SessionEvent | EventPreview;

const PREVIEWS: FollowOptions = { previews: ["agent.message"] };

describe("following a session", () => {
  let db: SessionDatabase;
  /** Of another process: its wake-ups come by Postgres. */
  let farWakeups: Wakeups;
  let far: Live;
  let near: Live;

  beforeAll(async () => {
    db = await openSessionDatabase({ leaseMs: 60_000 });
    farWakeups = await connectPostgresWakeups(db.url, SILENT);
    far = createLive(createEventLog(db.pool, farWakeups), farWakeups);
    near = createLive(db.log, db.wakeups);
  });
  afterAll(async () => {
    await farWakeups.close();
    await db.close();
  });

  const start = async () => {
    const id = await db.newSession({ status: "running" });
    const lease = await db.leases.acquire(id, "a");
    if (!lease) throw new Error("no lease");
    return { id, fence: lease.fence };
  };
  const append = (fence: Fence, text: string) =>
    db.log.append({ fence, events: [{ event: agentMessage(text) }], state: null });
  const textOf = (item: Item) => (item.type === "agent.message" ? (item.content[0]?.text ?? "") : item.type);

  /** Follows until `last` has been seen. */
  const follow = async (live: Live, id: string, last: string, options: FollowOptions = { previews: [] }) => {
    const stop = new AbortController();
    const items = await live.follow(id, options, stop.signal);
    const seen: Item[] = [];
    const done = (async () => {
      for await (const item of items) {
        seen.push(item);
        if (textOf(item) === last) break;
      }
      return seen;
    })();
    return { done, stop };
  };

  it("shows what is committed after it began, once and in order, to any number of followers", async () => {
    const { id, fence } = await start();
    await append(fence, "before");
    const TOTAL = 400;
    const followers: Promise<Item[]>[] = [];
    const joined: number[] = [];
    for (let index = 0; index < TOTAL; index++) {
      // Some join while events are being written.
      if (index % 40 === 0) {
        const live = index % 80 === 0 ? near : far;
        const writing = append(fence, `${index}`);
        const { done } = await follow(live, id, "end");
        await writing;
        followers.push(done);
        joined.push(index);
      } else {
        await append(fence, `${index}`);
      }
    }
    await append(fence, "end");
    for (const [index, seen] of (await Promise.all(followers)).entries()) {
      const texts = seen.map(textOf);
      const first = texts[0] === "end" ? TOTAL : Number(texts[0]);
      expect(texts).not.toContain("before");
      // The one that was being written when the follower joined may belong to either side.
      expect([joined[index], (joined[index] ?? 0) + 1]).toContain(first);
      expect(texts).toEqual([...Array.from({ length: TOTAL - first }, (_, at) => `${first + at}`), "end"]);
    }
  });

  it("misses nothing when wake-up connections break again and again", async () => {
    const { id, fence } = await start();
    const { done } = await follow(far, id, "end");
    for (let index = 0; index < 60; index++) {
      await append(fence, `${index}`);
      if (index % 15 === 7) await breakListeners(db.pool);
    }
    await append(fence, "end");
    expect((await done).map(textOf)).toEqual([...Array.from({ length: 60 }, (_, index) => `${index}`), "end"]);
  });

  it("catches up with more events than one read takes", async () => {
    const { id, fence } = await start();
    const { done } = await follow(far, id, "499");
    const events = Array.from({ length: 500 }, (_, index) => ({ event: agentMessage(`${index}`) }));
    await db.log.append({ fence, events, state: null });
    expect((await done).map(textOf)).toEqual(events.map((_, index) => `${index}`));
  });

  it.each(["near", "far"] as const)("ends with session.deleted (%s)", async (which) => {
    const { id, fence } = await start();
    const { done } = await follow(which === "near" ? near : far, id, "never");
    await append(fence, "last words");
    await db.prisma.session.delete({ where: { id } });
    db.wakeups.publish({ sessionId: id, deleted: true });
    const seen = (await done).map(({ type }) => type);
    expect(seen.at(-1)).toBe("session.deleted");
  });

  it("ends when its signal aborts, waiting or not", async () => {
    const { id } = await start();
    const { done, stop } = await follow(near, id, "never");
    stop.abort();
    expect(await done).toEqual([]);
    const items = await near.follow(id, { previews: [] }, AbortSignal.abort());
    for await (const item of items) expect.fail(`showed ${item.type}`);
  });

  it("shows of a message in the making a prefix, then the message, then nothing more of it", async () => {
    const { id, fence } = await start();
    const following = await Promise.all([near, far].map((live) => follow(live, id, "end", PREVIEWS)));
    const plain = await follow(far, id, "end");
    for (let round = 0; round < 30; round++) {
      const event = agentMessage("ha".repeat(40));
      const preview = (text: string, frame: number) =>
        db.log.preview(
          id,
          {
            type: "event_delta",
            event_id: event.id,
            delta: { type: "content_delta", index: 0, content: { type: "text", text } },
          },
          frame,
        );
      db.log.preview(id, { type: "event_start", event: { type: "agent.message", id: event.id } }, 0);
      for (let frame = 1; frame <= 40; frame++) {
        // One frame is lost on the way now and then.
        if (round % 3 === 0 && frame === 20) continue;
        preview("ha", frame);
        if (frame === 30) await db.log.append({ fence, events: [{ event }], state: null });
      }
    }
    await append(fence, "end");
    for (const { done } of following) assertPrefixes(await done);
    expect((await plain.done).every(({ type }) => type === "agent.message")).toBe(true);
    expect((await following[1]?.done)?.some(({ type }) => type === "event_delta")).toBe(true);
  });
});

function assertPrefixes(items: readonly Item[]): void {
  const shown = new Map<string, string>();
  const finished = new Set<string>();
  for (const item of items) {
    if (item.type === "event_start") {
      expect(shown.has(item.event.id)).toBe(false);
      shown.set(item.event.id, "");
    } else if (item.type === "event_delta") {
      expect(finished).not.toContain(item.event_id);
      const before = shown.get(item.event_id);
      expect(before).toBeDefined();
      shown.set(item.event_id, before + item.delta.content.text);
    } else if (item.type === "agent.message") {
      finished.add(item.id);
      expect(item.content[0]?.text.startsWith(shown.get(item.id) ?? "")).toBe(true);
    }
  }
  // Of a message that lost a frame nothing after the loss was shown: "ha" 19 times at most.
  expect([...shown.values()].every((text) => text.length <= 80)).toBe(true);
}
