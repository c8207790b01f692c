import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type ApprovalDeps,
  type ApprovalVote,
  decideApproval,
  settleApproval,
} from "../../../bots/shared/approvals.ts";
import { placeOf } from "../../../bots/shared/chat-place.ts";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import { pendingAsks } from "../../../bots/shared/pending-asks.ts";
import type { Person } from "../../../bots/shared/person.ts";
import type { SessionEvent } from "../../../src/schemas/event.ts";
import { asked, idleEvent, interruptEvent, said, tool, waitsFor } from "../../fakes/played-turns.ts";
import { type DeliveryRig, dyingStore, Killed, startDeliveryRig } from "../../support/delivery-rig.ts";
import { SILENT } from "../../support/silent-log.ts";

const { signal } = new AbortController();
const person = (id: string, name: string): Person => ({ id, name, email: `${name}@example.com`, kind: "member" });
const ada = person("U_ADA", "Ada");
const bob = person("U_BOB", "Bob");
const command = { command: "rm -r old" };

let rig: DeliveryRig;
let records: ChatRecords;
beforeAll(async () => {
  rig = await startDeliveryRig();
  records = createDatabaseChatRecords(rig.database);
});
afterAll(() => rig.close());

/** A thread of Ada's whose session waits for these calls, and whose card has been posted. */
async function waitingThread(...calls: SessionEvent[]) {
  const thread = await rig.openThread();
  await records.directory.began(thread.key, { place: "slack:T1:C1", requester: ada.id, title: "Clean up" });
  await rig.begin(thread.sessionId);
  await rig.turns.commit(thread.sessionId, said("I clean up."), ...calls, waitsFor(...calls));
  await thread.deliver({ records });
  const deps: ApprovalDeps & { source: { inGroup(): Promise<boolean> } } = {
    client: rig.client,
    surface: thread.service.surface(),
    store: thread.store,
    records,
    source: { inGroup: async () => false },
    ensureDelivery: async () => undefined,
    log: SILENT,
  };
  const vote = (by: Person, call: SessionEvent, fields: Partial<ApprovalVote> = {}): ApprovalVote => ({
    toolUseId: call.id,
    person: by,
    decision: "allow",
    reason: null,
    ...fields,
  });
  const confirmations = async () => {
    const { data } = await rig.api.client.beta.sessions.events.list(thread.sessionId, {
      types: ["user.tool_confirmation"],
    });
    return data;
  };
  const audited = async () => records.audit.list({ sessionId: thread.sessionId, limit: 10 });
  /** The harness takes up what was decided and ends the turn. */
  const finish = async (answer: string) => {
    await rig.turns.takeUp(thread.sessionId);
    await rig.turns.commit(thread.sessionId, said(answer), idleEvent());
  };
  return { ...thread, deps, vote, confirmations, audited, finish };
}

describe("a call that is asked for", () => {
  it("is shown word for word, and the thread waits", async () => {
    const call = asked("bash", command);
    const { key, service } = await waitingThread(call);
    expect(service.approvals()).toMatchObject([
      { toolUseId: call.id, detail: "rm -r old", requester: ada.id, approvers: [], state: { type: "open" } },
    ]);
    expect(service.statuses()).toMatchObject([{ state: "waiting", endedAt: expect.any(Number) }]);
    expect((await records.directory.summary(key))?.state).toBe("waiting");
    expect(service.words()).toEqual([]);
  });

  it("runs when its requester allows it, in the same turn with the same status", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    const result = await decideApproval(thread.deps, thread.vote(ada, call), signal);
    expect(result).toMatchObject({ type: "decided" });
    expect(await thread.confirmations()).toMatchObject([{ tool_use_id: call.id, result: "allow" }]);
    expect(thread.service.approvals()).toMatchObject([{ state: { type: "decided", decision: "allow", by: "Ada" } }]);
    expect(await thread.audited()).toMatchObject([
      { action: "approval_decided", person: ada.id, personName: "Ada", email: "Ada@example.com" },
    ]);
    expect((await thread.store.threads.open(thread.key)).busy).toBe(true);

    await thread.finish("It is clean.");
    await thread.deliver({ records });
    expect(thread.service.words()).toEqual(["It is clean."]);
    expect(thread.service.statuses()).toMatchObject([{ state: "done" }]);
    expect(thread.service.approvals()).toHaveLength(1);
    // That it waited, and that it is done: what was long over is not drawn again.
    expect(thread.service.posts[0]?.updates).toBe(2);
    expect((await records.directory.summary(thread.key))?.state).toBe("done");
  });

  it("does not run when it is denied, and the agent is told why", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await decideApproval(thread.deps, thread.vote(ada, call, { decision: "deny", reason: "we need it" }), signal);
    expect(await thread.confirmations()).toMatchObject([{ result: "deny", deny_message: "we need it" }]);
    expect(thread.service.approvals()).toMatchObject([{ state: { decision: "deny", reason: "we need it" } }]);
  });

  it("is followed live through the decision", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await decideApproval(thread.deps, thread.vote(ada, call), signal);
    const done = thread.deliver({ records });
    await rig.turns.takeUp(thread.sessionId);
    await thread.service.until(() => thread.service.statuses()[0]?.state === "working");
    await rig.turns.commit(thread.sessionId, said("Done."), idleEvent());
    await done;
    expect(thread.service.words()).toEqual(["Done."]);
  });

  it("is followed to its end when the turn is stopped instead", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await rig.turns.commit(thread.sessionId, resultOf(call), interruptEvent());
    const done = thread.deliver({ records });
    await thread.service.until(() => thread.service.approvals()[0]?.state.type === "moot");
    await rig.turns.commit(thread.sessionId, idleEvent());
    await done;
    expect(thread.service.statuses()).toMatchObject([{ state: "stopped" }]);
  });

  it("does not keep a deliverer busy, also when a message waits behind it", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await rig.api.client.beta.sessions.events.send(thread.sessionId, {
      events: [{ type: "user.message", content: [{ type: "text", text: "and then?" }] }],
    });
    await thread.deliver({ records });
    expect(thread.service.approvals()).toHaveLength(1);
  });

  it("may be one of several that are decided on one by one", async () => {
    const [one, two] = [asked("bash", command), asked("write", { file_path: "/a", content: "b" })];
    const thread = await waitingThread(one, two);
    expect(await pendingAsks(rig.client, thread.sessionId, signal)).toMatchObject([
      { toolUseId: one.id, toolName: "bash", input: command },
      { toolUseId: two.id },
    ]);
    await decideApproval(thread.deps, thread.vote(ada, two), signal);
    expect(await pendingAsks(rig.client, thread.sessionId, signal)).toMatchObject([{ toolUseId: one.id }]);
    await rig.turns.takeUp(thread.sessionId);
    await rig.turns.commit(thread.sessionId, waitsFor(one));
    await thread.deliver({ records });
    expect(thread.service.approvals().map(({ state }) => state.type)).toEqual(["open", "decided"]);
    expect(thread.service.statuses()).toMatchObject([{ state: "waiting" }]);
    await decideApproval(thread.deps, thread.vote(ada, one), signal);
    expect(await pendingAsks(rig.client, thread.sessionId, signal)).toEqual([]);
  });
});

describe("who may decide", () => {
  it("is the requester alone, unless the channel names others", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    expect(await decideApproval(thread.deps, thread.vote(bob, call), signal)).toEqual({
      type: "not_yours",
      who: [ada.id],
    });
    expect(await thread.confirmations()).toEqual([]);
    expect(await records.approvals.find(call.id)).toMatchObject({ decision: null });
  });

  it("is no requester whom the channel does not let in any more", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    const place = placeOf(thread.key);
    if (place === null) throw new Error("no place");
    await records.policies.set(place, { allowUsers: [bob.id] });
    expect(await decideApproval(thread.deps, thread.vote(ada, call), signal)).toEqual({ type: "not_yours", who: [] });
    await records.policies.set(place, {});
    const guest = { ...ada, kind: "guest" } as const;
    expect(await decideApproval(thread.deps, thread.vote(guest, call), signal)).toMatchObject({ type: "not_yours" });
    expect(await thread.confirmations()).toEqual([]);
  });

  it("are the approvers of the channel, people and groups, and then not the requester", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    const policies = {
      ...records.policies,
      of: async () => ({ ...(await records.policies.of("slack:T1:C1")), approvers: ["S_OPS"] }),
    };
    const inGroup = async (_place: string, group: string, id: string) => group === "S_OPS" && id === bob.id;
    const deps = { ...thread.deps, records: { ...records, policies }, source: { inGroup } };
    expect(await decideApproval(deps, thread.vote(ada, call), signal)).toEqual({ type: "not_yours", who: ["S_OPS"] });
    expect(await decideApproval(deps, thread.vote(bob, call), signal)).toMatchObject({ type: "decided" });
    expect(await thread.audited()).toMatchObject([{ person: bob.id }]);
  });
});

describe("a decision that comes late", () => {
  it("changes nothing after another one, and is harmless twice", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await decideApproval(thread.deps, thread.vote(ada, call), signal);
    expect(await decideApproval(thread.deps, thread.vote(ada, call), signal)).toMatchObject({ type: "decided" });
    const other = await decideApproval(thread.deps, thread.vote(ada, call, { decision: "deny" }), signal);
    expect(other).toMatchObject({ type: "too_late", approval: { decision: "allow", decidedBy: { id: ada.id } } });
    expect(await thread.confirmations()).toHaveLength(1);
    expect(await thread.audited()).toHaveLength(1);
  });

  it("is told so when the session was stopped, and the card says that it is not asked any more", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await rig.turns.commit(thread.sessionId, interruptEvent(), resultOf(call), idleEvent());
    expect(await decideApproval(thread.deps, thread.vote(ada, call), signal)).toMatchObject({ type: "too_late" });
    expect(await thread.confirmations()).toEqual([]);
    expect(thread.service.approvals()).toMatchObject([{ state: { type: "moot" } }]);
    await thread.deliver({ records });
    expect(thread.service.approvals()).toMatchObject([{ state: { type: "moot" } }]);
    expect(thread.service.statuses()).toMatchObject([{ state: "stopped" }]);
  });

  it("is of no use for a call that was never asked for", async () => {
    const thread = await waitingThread(asked("bash", command));
    const unknown = tool("bash", {});
    const result = await decideApproval(thread.deps, thread.vote(ada, unknown), signal);
    expect(result).toEqual({ type: "too_late", approval: null });
  });

  it("closes the card when the turn was stopped and nobody decided", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await rig.turns.commit(thread.sessionId, interruptEvent(), resultOf(call), idleEvent());
    await thread.deliver({ records });
    expect(thread.service.approvals()).toMatchObject([{ state: { type: "moot" } }]);
    expect(await records.approvals.open(thread.key)).toEqual([]);
    expect(thread.service.words()).toEqual([]);
  });

  it("closes the card when somebody decided outside of the thread", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    await rig.api.client.beta.sessions.events.send(thread.sessionId, {
      events: [{ type: "user.tool_confirmation", tool_use_id: call.id, result: "allow" }],
    });
    await thread.finish("Done.");
    await thread.deliver({ records });
    expect(thread.service.approvals()).toMatchObject([{ state: { type: "moot" } }]);
    expect(thread.service.words()).toEqual(["Done."]);
    expect(await records.approvals.open(thread.key)).toEqual([]);
  });
});

describe("a decision that meets trouble", () => {
  it("is kept while the API is down, and sent later, once", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    rig.network.down();
    expect(await decideApproval(thread.deps, thread.vote(ada, call), signal)).toMatchObject({ type: "decided" });
    rig.network.up();
    const due = (await records.approvals.due(["slack"], 0, 100)).filter(({ toolUseId }) => toolUseId === call.id);
    expect(due).toMatchObject([{ decision: "allow", sent: false }]);
    for (const approval of due) expect(await settleApproval(thread.deps, approval, signal)).toBe(true);
    expect(await thread.confirmations()).toHaveLength(1);
    expect(await records.approvals.find(call.id)).toMatchObject({ sent: true });
  });

  it("counts when the session took it and the answer was lost", async () => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    const lost = rig.network.loseAnswer("POST", /\/events/);
    const [result] = await Promise.all([decideApproval(thread.deps, thread.vote(ada, call), signal), lost]);
    expect(result).toMatchObject({ type: "decided" });
    expect(await decideApproval(thread.deps, thread.vote(ada, call), signal)).toMatchObject({ type: "decided" });
    expect(await thread.confirmations()).toHaveLength(1);
    expect(await thread.audited()).toMatchObject([{ detail: { taken: true } }]);
  });

  it.each(["markSent", "audit", "wake"] as const)("is brought to its end after a crash at `%s`", async (point) => {
    const call = asked("bash", command);
    const thread = await waitingThread(call);
    const die = async () => {
      throw new Killed();
    };
    const dying: typeof thread.deps = {
      ...thread.deps,
      records: {
        ...records,
        ...(point === "markSent" && { approvals: { ...records.approvals, markSent: die } }),
        ...(point === "audit" && { audit: { ...records.audit, record: die } }),
      },
      store: {
        deliveries: { ...thread.store.deliveries, ...(point === "wake" && { wake: die }) },
      },
    };
    await expect(decideApproval(dying, thread.vote(ada, call), signal)).rejects.toThrow(Killed);
    // The inbox gives the press to the next process.
    expect(await decideApproval(thread.deps, thread.vote(ada, call), signal)).toMatchObject({ type: "decided" });
    expect(await thread.confirmations()).toHaveLength(1);
    expect((await thread.audited()).length).toBeGreaterThanOrEqual(1);
    expect((await thread.store.threads.open(thread.key)).busy).toBe(true);
    expect(await records.approvals.find(call.id)).toMatchObject({ sent: true });
  });

  it.each([1, 2, 3, 4])("asks once when the deliverer dies at its write number %i", async (nth) => {
    const thread = await rig.openThread();
    const call = asked("bash", command);
    await rig.begin(thread.sessionId);
    await rig.turns.commit(thread.sessionId, call, waitsFor(call));
    const method = nth % 2 === 0 ? "settle" : "intend";
    const dying = dyingStore(thread.store, method, "after", Math.ceil(nth / 2));
    await expect(thread.deliver({ store: dying, records })).rejects.toThrow(Killed);
    await rig.expireLease(thread.key);
    await thread.deliver({ records });
    expect(thread.service.approvals()).toHaveLength(1);
    expect(thread.service.statuses()).toMatchObject([{ state: "waiting" }]);
  });
});

describe("without records", () => {
  it("asks the owner of the thread, as long as it takes, and tells what they decided", async () => {
    const thread = await rig.openThread();
    const call = asked("bash", command);
    await rig.begin(thread.sessionId);
    await rig.turns.commit(thread.sessionId, call, waitsFor(call));
    await thread.deliver();
    expect(thread.service.approvals()).toMatchObject([{ state: { type: "open", expiresAt: null } }]);
    const client = new Anthropic({ baseURL: rig.api.baseURL, apiKey: rig.api.key });
    await client.beta.sessions.events.send(thread.sessionId, {
      events: [{ type: "user.tool_confirmation", tool_use_id: call.id, result: "allow" }],
    });
    await rig.turns.takeUp(thread.sessionId);
    await rig.turns.commit(thread.sessionId, said("Done."), idleEvent());
    await thread.deliver();
    expect(thread.service.approvals()).toMatchObject([{ state: { type: "decided", by: "you" } }]);
    expect(thread.service.words()).toEqual(["Done."]);
  });
});

function resultOf(call: SessionEvent): SessionEvent {
  return {
    id: `${call.id}r`,
    type: "agent.tool_result",
    processed_at: new Date().toISOString(),
    tool_use_id: call.id,
    content: [{ type: "text", text: "Interrupted." }],
    is_error: true,
  };
}
