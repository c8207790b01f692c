import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import { type CommandDeps, runCommand } from "../../../bots/shared/run-command.ts";
import { createThreadSessions } from "../../../bots/shared/thread-sessions.ts";
import type { SessionEvent } from "../../../src/schemas/event.ts";
import { asked, idleEvent, said, waitsFor } from "../../fakes/played-turns.ts";
import { type DeliveryRig, startDeliveryRig } from "../../support/delivery-rig.ts";

const { signal } = new AbortController();
let rig: DeliveryRig;
let records: ChatRecords;
beforeAll(async () => {
  rig = await startDeliveryRig();
  records = createDatabaseChatRecords(rig.database);
});
afterAll(() => rig.close());

async function openThread() {
  const thread = await rig.openThread();
  const { key, sessionId, store } = thread;
  const start = (overrides: Partial<CommandDeps>) => {
    const deps: CommandDeps = {
      client: rig.client,
      surface: thread.service.surface(),
      store,
      sessions: createThreadSessions({ client: rig.client, threads: store.threads }),
      records,
      ensureDelivery: async () => undefined,
      ...overrides,
    };
    return runCommand(deps, { thread: key, messageId: "m1", command: { type: "new" }, personId: "U1" }, signal);
  };
  /** What the harness and the deliverer do when somebody has interrupted. */
  const stopAndDeliver = async () => {
    await rig.turns.takeUp(sessionId);
    await rig.turns.commit(sessionId, idleEvent());
    await thread.deliver({ records });
  };
  const has = async (...events: SessionEvent[]) => {
    await rig.begin(sessionId);
    await rig.turns.commit(sessionId, ...events);
  };
  const current = async () => (await store.threads.open(key)).sessionId;
  return { ...thread, start, stopAndDeliver, has, current };
}

describe("a fresh start", () => {
  it("closes the approvals that the old session waited for, and its status", async () => {
    const call = asked("bash", { command: "rm -r old" });
    const { start, stopAndDeliver, has, deliver, service, current } = await openThread();
    await has(call, waitsFor(call));
    await deliver({ records });
    expect(service.approvals()).toMatchObject([{ state: { type: "open" } }]);

    let ending = Promise.resolve();
    await start({
      ensureDelivery: async () => {
        ending = stopAndDeliver();
      },
    });
    expect(service.approvals()).toMatchObject([{ state: { type: "moot" } }]);
    expect(service.statuses()).toMatchObject([{ state: "stopped" }]);
    expect(await current()).toBeNull();
    await ending;
  });

  it("comes after what the old session said last", async () => {
    const { key, store, start, has, deliver, service, current } = await openThread();
    await has(said("The last word."), idleEvent());
    await store.deliveries.wake(key);
    const starting = start({});
    await deliver({ records });
    await starting;
    expect(service.words()).toEqual(["The last word.", expect.stringContaining("A fresh start")]);
    expect(await current()).toBeNull();
  });

  it("is not held up by a chat that takes no posts", async () => {
    const { key, store, start, has, current } = await openThread();
    await has(said("The last word."), idleEvent());
    await store.deliveries.wake(key);
    await start({ leaveWithinMs: 0 });
    expect(await current()).toBeNull();
  });
});
