import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppError, LeaseLostError } from "../../src/errors.ts";
import type { Fence } from "../../src/sessions/event-log.ts";
import { agentMessage, stateOf, userMessage } from "../support/events.ts";
import { openSessionDatabase, type SessionDatabase, WORKSPACE } from "../support/session-database.ts";

describe("the event log", () => {
  let db: SessionDatabase;
  beforeAll(async () => {
    db = await openSessionDatabase({ leaseMs: 60_000 });
  });
  afterAll(() => db.close());

  const append = (fence: Fence, texts: string[]) =>
    db.log.append({ fence, events: texts.map((text) => ({ event: agentMessage(text) })), state: null });
  const acquired = async (sessionId: string, owner = "a") => {
    const lease = await db.leases.acquire(sessionId, owner);
    if (!lease) throw new Error("no lease");
    return lease.fence;
  };
  const running = () => db.newSession({ status: "running" });
  const texts = async (sessionId: string) =>
    (await db.events(sessionId)).map((event) => (event.type === "agent.message" ? event.content[0]?.text : event.type));

  it("gives every event of every append its seq, in order, without gap or duplicate, under many writers", async () => {
    const batches = fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(batches, { minLength: 1, maxLength: 8 }), async (sessions) => {
        const ids = await Promise.all(sessions.map(running));
        await Promise.all(
          ids.map(async (id, index) => {
            const fence = await acquired(id);
            for (const batch of sessions[index] ?? []) await append(fence, batch);
          }),
        );
        for (const [index, id] of ids.entries()) {
          const log = await db.log.read(id, 0, 1_000);
          const given = (sessions[index] ?? []).flat();
          expect(log.map(({ seq }) => seq)).toEqual(given.map((_, at) => at + 1));
          expect(await texts(id)).toEqual(given.map((text) => text.replaceAll("\0", "\ufffd").toWellFormed()));
          expect(await db.log.lastSeq(id)).toBe(given.length);
        }
      }),
      { numRuns: 15 },
    );
  });

  it("keeps each append together, also when one holder's appends race", async () => {
    const id = await running();
    const fence = await acquired(id);
    await Promise.all(Array.from({ length: 40 }, (_, index) => append(fence, [`${index}a`, `${index}b`, `${index}c`])));
    const log = await db.log.read(id, 0, 1_000);
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1));
    const numbers = (await texts(id)).map((text) => Number.parseInt(text ?? "", 10));
    for (let at = 0; at < numbers.length; at += 3) {
      expect(new Set(numbers.slice(at, at + 3)).size).toBe(1);
    }
  });

  it("refuses a zombie's append after a new grant, and writes nothing of it", async () => {
    const id = await running();
    const zombie = await acquired(id, "zombie");
    await append(zombie, ["before"]);
    await db.expireLease(id);
    const living = await acquired(id, "living");
    await db.send(id, "hello");
    const [message] = await db.log.inbox(id);
    if (!message) throw new Error("no message");
    const attempt = db.log.append({
      fence: zombie,
      events: [{ event: { ...userMessage("hello"), id: message.id } }],
      state: stateOf("idle"),
      taken: [message.id],
      release: { idle: true },
    });
    await expect(attempt).rejects.toThrow(LeaseLostError);
    expect(await texts(id)).toEqual(["before"]);
    expect(await db.row(id)).toMatchObject({ status: "running", queuedCount: 1, leaseOwner: "living", lastSeq: 1 });
    await append(living, ["after"]);
    expect(await texts(id)).toEqual(["before", "after"]);
  });

  it("lets no append of an old epoch in, however appends and grants interleave", async () => {
    const id = await running();
    for (let round = 0; round < 30; round++) {
      const old = await acquired(id, `old-${round}`);
      await db.expireLease(id);
      const [, granted] = await Promise.all([
        append(old, [`old ${round}`]).catch((error: unknown) => {
          if (!(error instanceof LeaseLostError)) throw error;
        }),
        acquired(id, `new-${round}`),
      ]);
      const before = await db.log.lastSeq(id);
      await expect(append(old, ["too late"])).rejects.toThrow(LeaseLostError);
      expect(await db.log.lastSeq(id)).toBe(before);
      await append(granted, [`new ${round}`]);
      await db.leases.release(granted);
    }
    const all = await texts(id);
    expect(all).not.toContain("too late");
    const rounds = all.map((text) => Number(text?.split(" ")[1]));
    expect(rounds).toEqual(rounds.toSorted((a, b) => a - b));
  });

  it("writes the same append only once, also when its answer was lost and it is repeated", async () => {
    const id = await running();
    const fence = await acquired(id);
    const request = { fence, events: [{ event: agentMessage("once") }], state: null };
    await db.log.append(request);
    await expect(db.log.append(request)).rejects.toThrow(/events_id_key/);
    expect(await texts(id)).toEqual(["once"]);
    expect(await db.log.lastSeq(id)).toBe(1);
  });

  it("goes idle only when the inbox is empty, and says so with nothing written", async () => {
    const id = await running();
    const fence = await acquired(id);
    await db.send(id, "wait!");
    const idle = {
      fence,
      events: [{ event: agentMessage("bye") }],
      state: stateOf("idle"),
      release: { idle: true } as const,
    };
    expect(await db.log.append(idle)).toBeNull();
    expect(await texts(id)).toEqual([]);
    expect(await db.row(id)).toMatchObject({ status: "running", leaseOwner: "a" });
    const taken = (await db.log.inbox(id)).map((event) => event.id);
    expect(await db.log.append({ ...idle, taken })).not.toBeNull();
    expect(await db.row(id)).toMatchObject({ status: "idle", leaseOwner: null, queuedCount: 0 });
  });

  it("never loses a message to a session that goes idle in that instant, and never lets two harnesses in", async () => {
    const id = await db.newSession();
    const answered: string[] = [];
    let holders = 0;
    let holdersMax = 0;
    /** A harness in small: takes what waits, answers it, and goes idle unless more came. */
    const work = async (owner: string) => {
      const lease = await db.leases.acquire(id, owner);
      if (!lease) return;
      holders += 1;
      holdersMax = Math.max(holdersMax, holders);
      for (;;) {
        const taken = (await db.log.inbox(id)).map((event) => event.id);
        const release = { idle: true } as const;
        holders -= 1; // Whoever is let in from here on is let in by this very statement.
        const done = await db.log.append({ fence: lease.fence, events: [], state: stateOf("idle"), taken, release });
        if (done) {
          answered.push(...taken);
          return;
        }
        holders += 1;
      }
    };
    const sent: string[] = [];
    for (let round = 0; round < 400; round++) {
      // Each message is followed by one hint, and nobody looks again after that.
      const clients = Array.from({ length: 5 }, async (_, client) => {
        sent.push(...(await db.send(id, `message ${round}/${client}`)).map((event) => event.id));
        await work(`harness-${client}`);
      });
      await Promise.all(clients);
      expect(answered.length).toBe(sent.length);
    }
    expect(await db.log.inbox(id)).toEqual([]);
    expect(answered.toSorted()).toEqual(sent.toSorted());
    expect(holdersMax).toBe(1);
    expect(await db.row(id)).toMatchObject({ queuedCount: 0, status: "idle", leaseOwner: null });
  });

  it("keeps the inbox in order of arrival, each request together", async () => {
    const id = await db.newSession();
    await Promise.all(Array.from({ length: 20 }, (_, index) => db.send(id, `${index} first`, `${index} second`)));
    const order = (await db.log.inbox(id)).map((event) => (event.type === "user.message" ? event.content[0] : null));
    const words = order.map((block) => (block?.type === "text" ? block.text : ""));
    expect(words).toHaveLength(40);
    for (let at = 0; at < words.length; at += 2) {
      expect(words[at + 1]).toBe(words[at]?.replace("first", "second"));
    }
    expect((await db.row(id)).queuedCount).toBe(40);
  });

  it("takes nothing for a session that is not there, another workspace's, or terminated", async () => {
    const id = await db.newSession();
    const message = { type: "user.message" as const, content: [{ type: "text" as const, text: "hi" }] };
    await expect(db.log.enqueue("wrkspc_other", id, [message])).rejects.toMatchObject({ code: "not_found" });
    await expect(db.log.enqueue(WORKSPACE, "sesn_none", [message])).rejects.toThrow(AppError);
    const ended = await db.newSession({ status: "terminated" });
    await expect(db.log.enqueue(WORKSPACE, ended, [message])).rejects.toMatchObject({ code: "invalid_request" });
    expect(await db.log.inbox(id)).toEqual([]);
  });

  it("refuses to change a committed event", async () => {
    const id = await running();
    await append(await acquired(id), ["written"]);
    await expect(db.pool.query("UPDATE events SET payload = '{}' WHERE session_id = $1", [id])).rejects.toThrow(
      /append-only/,
    );
    expect(await texts(id)).toEqual(["written"]);
  });

  it("keeps what is private beside the event, out of its payload", async () => {
    const id = await running();
    const event = agentMessage("shown");
    await db.log.append({
      fence: await acquired(id),
      events: [{ event, private: { hidden: "\u0000x" } }],
      state: null,
    });
    expect(await db.log.read(id, 0, 10)).toEqual([{ seq: 1, event, private: { hidden: "\ufffdx" } }]);
  });
});
