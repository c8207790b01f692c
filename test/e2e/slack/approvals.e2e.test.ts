import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { MODEL } from "../../../bench/names.ts";
import { ACTION_IDS } from "../../../bots/slack/action-ids.ts";
import { calls, says } from "../../fakes/messages-answer.ts";
import { resultsIn } from "../support/session-log.ts";
import { type FakeSlackCluster, startFakeSlackCluster } from "./support/fake-slack-cluster.ts";
import { mention, newChannel, type SeenThread } from "./support/seen-thread.ts";

const ASKS = [
  {
    type: "agent_toolset_20260401" as const,
    configs: [{ name: "bash" as const, permission_policy: { type: "always_ask" as const } }],
  },
];
const DENIED = "The user rejected this tool call";

let cluster: FakeSlackCluster;
let agentId: string;
beforeAll(async () => {
  cluster = await startFakeSlackCluster({ transport: "socket" });
  const agent = await cluster.client.beta.agents.create({ name: "Asks first", model: MODEL, tools: ASKS });
  agentId = agent.id;
});
afterAll(() => cluster.close());

let channel: string;
let count = 0;
/** A channel whose agent asks before each command. */
beforeEach(async () => {
  channel = newChannel(cluster);
  await cluster.records.policies.set(`slack:T01ACME:${channel}`, { agentId });
});

/** Alice asks for something that needs a command; resolves when its card is there. */
async function asked(more: Record<string, unknown> = {}): Promise<SeenThread> {
  await cluster.records.policies.set(`slack:T01ACME:${channel}`, { agentId, ...more });
  count += 1;
  const command = { name: "bash", input: { command: `echo "ran ${count}"` } };
  cluster.model.play(`task ${count}`, calls(command), says("It is done."));
  const thread = mention(cluster, `task ${count}`, { channel });
  await thread.reaches("Waiting for you");
  expect(card(thread)).toContain(`echo \\"ran ${count}\\"`);
  return thread;
}

const card = ({ approvals }: SeenThread) =>
  approvals()
    .map((each) => JSON.stringify([each.text, each.blocks]))
    .join();
const press = (thread: SeenThread, user: string, actionId: string) =>
  cluster.slack.press({ channel, ts: thread.approvals()[0]?.ts ?? "", user, actionId });
const told = (user: string) =>
  cluster.slack
    .messages(channel)
    .filter(({ ephemeralFor }) => ephemeralFor === user)
    .map(({ text }) => text);
const results = async (thread: SeenThread) => resultsIn(await thread.log());

async function denyWith(thread: SeenThread, user: string, reason: string): Promise<void> {
  const { views } = cluster.slack.world;
  const known = new Set(views.keys());
  press(thread, user, ACTION_IDS.deny);
  const view = await cluster.slack.until("the modal", () => [...views.values()].find(({ id }) => !known.has(id)));
  expect(view.user).toBe(user);
  await cluster.slack.submitView(view.id, { reason: { text: { type: "plain_text_input", value: reason } } }).done;
}

it("the requester approves: the command runs once, and the card says who decided and when", async () => {
  const thread = await asked();
  expect(card(thread)).toContain("<@U01ALICE> can decide");
  await press(thread, "U01ALICE", ACTION_IDS.approve).done;
  await thread.reaches("Done");
  expect(thread.said()).toEqual(["It is done."]);
  expect(await results(thread)).toEqual([`ran ${count}\n`]);
  expect(thread.approvals()).toHaveLength(1);
  expect(card(thread)).toMatch(/Approved.*By alice, <!date\^\d+\^/);
  expect(card(thread)).not.toContain(ACTION_IDS.approve);
  const [audit] = await cluster.records.audit.list({ place: `slack:T01ACME:${channel}`, limit: 1 });
  expect(audit).toMatchObject({
    action: "approval_decided",
    person: "U01ALICE",
    email: "alice@acme.test",
    sessionId: await thread.session(),
  });
});

it("somebody else presses: they alone are told why not, and it still waits", async () => {
  const thread = await asked();
  await press(thread, "U02BOB", ACTION_IDS.approve).done;
  await press(thread, "U02BOB", ACTION_IDS.deny).done;
  await cluster.slack.until("both answers", () => told("U02BOB").length === 2);
  expect(told("U02BOB")).toEqual(Array(2).fill("Only <@U01ALICE> may decide on this."));
  thread.say("U02BOB", "approve");
  await thread.says("for somebody else to decide");
  expect(card(thread)).toContain("May I run");
  expect(await results(thread)).toEqual([]);
  await press(thread, "U01ALICE", ACTION_IDS.approve).done;
  await thread.reaches("Done");
  expect(await results(thread)).toEqual([`ran ${count}\n`]);
});

it("a channel's approvers decide in place of the requester, also the members of a group", async () => {
  const byBob = await asked({ approvers: ["U02BOB"] });
  await press(byBob, "U01ALICE", ACTION_IDS.approve).done;
  await cluster.slack.until("the answer", () => told("U01ALICE").includes("Only <@U02BOB> may decide on this."));
  await press(byBob, "U02BOB", ACTION_IDS.approve).done;
  await byBob.reaches("Done");
  expect(card(byBob)).toContain("By bob");

  const byAdmins = await asked({ approvers: ["S01ADMINS"] });
  await press(byAdmins, "U02BOB", ACTION_IDS.approve).done;
  await cluster.slack.until("the answer", () =>
    told("U02BOB").includes("Only <!subteam^S01ADMINS> may decide on this."),
  );
  await press(byAdmins, "U01ALICE", ACTION_IDS.approve).done;
  await byAdmins.reaches("Done");
});

it("denied with a reason: the agent reads it, the command does not run, the card shows it", async () => {
  const thread = await asked();
  await denyWith(thread, "U01ALICE", "not on a Friday");
  await thread.reaches("Done");
  expect(await results(thread)).toEqual([expect.stringContaining(DENIED)]);
  expect((await results(thread))[0]).toContain("not on a Friday");
  expect(card(thread)).toMatch(/Denied.*By alice.*not on a Friday/);
});

it("pressing again, with the same or another word, is harmless: the first decision counts", async () => {
  const thread = await asked();
  const { ts = "" } = thread.approvals()[0] ?? {};
  const again = () => cluster.slack.press({ channel, ts, user: "U01ALICE", actionId: ACTION_IDS.approve });
  await Promise.all([again().done, again().done, denyWith(thread, "U01ALICE", "too late")]);
  await thread.reaches("Done");
  const decisions = (await thread.log()).filter(({ event }) => event.type === "user.tool_confirmation");
  expect(decisions).toHaveLength(1);
  expect(await results(thread)).toHaveLength(1);
  expect(thread.said()).toEqual(["It is done."]);
});

it("after a stop it is no longer needed, and a modal that is still open changes nothing", async () => {
  const thread = await asked();
  const { views } = cluster.slack.world;
  const known = new Set(views.keys());
  press(thread, "U01ALICE", ACTION_IDS.deny);
  const view = await cluster.slack.until("the modal", () => [...views.values()].find(({ id }) => !known.has(id)));
  thread.say("U01ALICE", "stop");
  await thread.reaches("Stopped");
  await cluster.slack.until("the card", () => card(thread).includes("No longer needed"));
  await cluster.slack.submitView(view.id, { reason: { text: { type: "plain_text_input", value: "late" } } }).done;
  cluster.model.play("what now?", says("Nothing."));
  thread.say("U01ALICE", "what now?");
  await thread.says("Nothing.");
  expect(card(thread)).toContain("No longer needed");
  expect(thread.said()).not.toContain("It is done.");
});

it("nobody decides in time: the command is denied, and the card says so", async () => {
  const thread = await asked({ approvalMinutes: 1 });
  await cluster.database.execute("UPDATE chat_approvals SET expires_at = now() WHERE chat_thread_key = $1", thread.key);
  await thread.reaches("Done");
  expect(await results(thread)).toEqual([expect.stringContaining("Nobody approved this in time")]);
  expect(card(thread)).toContain("Nobody decided in time");
});

it("words decide as buttons do", async () => {
  const approved = await asked();
  approved.say("U01ALICE", "yes, go ahead");
  await approved.reaches("Done");
  expect(await results(approved)).toEqual([`ran ${count}\n`]);

  const denied = await asked();
  denied.say("U01ALICE", "<@U0BOT> deny: too risky");
  await denied.reaches("Done");
  expect((await results(denied))[0]).toContain("too risky");
  expect(card(denied)).toMatch(/Denied.*By alice/);
});
