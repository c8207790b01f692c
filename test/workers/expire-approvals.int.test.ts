import { afterAll, beforeAll, expect, it } from "vitest";
import { decideApproval } from "../../bots/shared/approvals.ts";
import type { ChatRecords } from "../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../bots/shared/chat-records-store.ts";
import { startApprovalExpiry } from "../../workers/expire-approvals.ts";
import { asked, idleEvent, said, waitsFor } from "../fakes/played-turns.ts";
import { type DeliveryRig, startDeliveryRig } from "../support/delivery-rig.ts";
import { SILENT } from "../support/silent-log.ts";

const { signal } = new AbortController();
let rig: DeliveryRig;
let records: ChatRecords;
beforeAll(async () => {
  rig = await startDeliveryRig();
  records = createDatabaseChatRecords(rig.database);
});
afterAll(() => rig.close());

async function waitingThread() {
  const thread = await rig.openThread();
  const call = asked("bash", { command: "rm -r old" });
  await records.directory.began(thread.key, { place: "slack:T1:C1", requester: "U1", title: "Clean up" });
  await rig.begin(thread.sessionId);
  await rig.turns.commit(thread.sessionId, call, waitsFor(call));
  await thread.deliver({ records });
  const deps = { client: rig.client, store: thread.store, records, ensureDelivery: async () => undefined, log: SILENT };
  const surface = thread.service.surface();
  const start = () => startApprovalExpiry({ ...deps, surfaces: [surface], staleMs: 0 });
  const confirmations = async () =>
    (await rig.api.client.beta.sessions.events.list(thread.sessionId, { types: ["user.tool_confirmation"] })).data;
  return { ...thread, call, deps, surface, start, confirmations };
}

const timeIsOver = (toolUseId: string) =>
  rig.database.pool.query("UPDATE chat_approvals SET expires_at = now() - interval '1 s' WHERE tool_use_id = $1", [
    toolUseId,
  ]);

it("denies what nobody decided on in time, once, and the agent goes on", async () => {
  const { key, sessionId, call, service, start, confirmations, deliver } = await waitingThread();
  await timeIsOver(call.id);
  const tasks = [start(), start()];
  await service.until(() => service.approvals()[0]?.state.type === "expired");
  await Promise.all(tasks.map((task) => task.stop()));
  expect(await confirmations()).toMatchObject([
    { tool_use_id: call.id, result: "deny", deny_message: expect.stringContaining("in time") },
  ]);
  expect(await records.audit.list({ sessionId, limit: 5 })).toMatchObject(
    expect.arrayContaining([expect.objectContaining({ action: "approval_decided", person: null })]),
  );
  await rig.turns.takeUp(sessionId);
  await rig.turns.commit(sessionId, said("Then not."), idleEvent());
  await deliver({ records });
  expect(service.words()).toEqual(["Then not."]);
  expect(service.approvals()).toMatchObject([{ state: { type: "expired" } }]);
  expect(await records.approvals.open(key)).toEqual([]);
});

it("tells a session of a decision that did not get through", async () => {
  const { call, deps, surface, confirmations, store, key } = await waitingThread();
  const person = { id: "U1", name: "Ada", email: null, kind: "member" } as const;
  rig.network.down();
  const vote = { toolUseId: call.id, person, decision: "allow", reason: null } as const;
  await decideApproval({ ...deps, surface, source: { inGroup: async () => false } }, vote, signal);
  rig.network.up();
  expect(await confirmations()).toEqual([]);
  const woken = Promise.withResolvers<void>();
  const task = startApprovalExpiry({
    ...deps,
    surfaces: [surface],
    staleMs: 0,
    ensureDelivery: async () => woken.resolve(),
  });
  await woken.promise;
  await task.stop();
  expect(await confirmations()).toMatchObject([{ result: "allow" }]);
  expect((await store.threads.open(key)).busy).toBe(true);
});

it("leaves the approvals of other surfaces to the processes that have them", async () => {
  const { call, deps, surface, confirmations } = await waitingThread();
  await timeIsOver(call.id);
  const looked = Promise.withResolvers<void>();
  const approvals = {
    ...records.approvals,
    due: async (...query: Parameters<typeof records.approvals.due>) => {
      const due = await records.approvals.due(...query);
      looked.resolve();
      return due;
    },
  };
  const task = startApprovalExpiry({
    ...deps,
    records: { ...records, approvals },
    surfaces: [{ ...surface, name: "teams" }],
    staleMs: 0,
  });
  await looked.promise;
  await task.stop();
  expect(await confirmations()).toEqual([]);
  expect(await records.approvals.find(call.id)).toMatchObject({ decision: null });
});
