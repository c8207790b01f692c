import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { MODEL } from "../../../bench/names.ts";
import type { ChatPlaceKey } from "../../../bots/shared/chat-place.ts";
import { CARD_VERBS, DENY_REASON_INPUT } from "../../../bots/teams/card-actions.ts";
import { calls, says } from "../../fakes/messages-answer.ts";
import type { Press } from "../../fakes/teams/interactions.ts";
import { userOf } from "../../fakes/teams/world.ts";
import { resultsIn } from "../support/session-log.ts";
import { newChannel, newPerson } from "./support/places.ts";
import { ask, type SeenThread, textOf } from "./support/seen-thread.ts";
import { startTeamsCluster, type TeamsCluster } from "./support/teams-cluster.ts";

const ASKS = [
  {
    type: "agent_toolset_20260401" as const,
    configs: [{ name: "bash" as const, permission_policy: { type: "always_ask" as const } }],
  },
];
const DENIED = "The user rejected this tool call";
const WORDS = "application/vnd.microsoft.activity.message";

let cluster: TeamsCluster;
let agentId: string;
beforeAll(async () => {
  cluster = await startTeamsCluster();
  const agent = await cluster.client.beta.agents.create({ name: "Asks first", model: MODEL, tools: ASKS });
  agentId = agent.id;
});
afterAll(() => cluster.close());

let place: string;
let count = 0;
beforeEach(() => {
  place = newChannel(cluster.teams);
});

/** Alice, or the person of the place, asks for something that needs a command; resolves when its card is there. */
async function asked(more: Record<string, unknown> = {}): Promise<SeenThread> {
  const { world } = cluster.teams;
  const { id, tenantId } = world.conversations.find(({ key }) => key === place) ?? { id: "", tenantId: "" };
  const policyOf: ChatPlaceKey = `teams:${tenantId}:${id}`;
  await cluster.records.policies.set(policyOf, { agentId, ...more });
  count += 1;
  const command = { name: "bash", input: { command: `echo "ran ${count}"` } };
  cluster.model.play(`task ${count}`, calls(command), says("It is done."));
  const thread = ask(cluster, place, `task ${count}`);
  await thread.reaches("Waiting for you");
  await thread.until("the card", () => card(thread).includes("May I run"));
  return thread;
}

const aad = (user: string) => userOf(cluster.teams.world, user).aadObjectId;
const card = ({ approvals }: SeenThread) => JSON.stringify(approvals().map(({ wire }) => wire));
const press = (thread: SeenThread, user: string, verb: keyof typeof CARD_VERBS, more: Partial<Press> = {}) =>
  cluster.teams.press({ activityId: thread.approvals()[0]?.id ?? "", user, action: CARD_VERBS[verb], ...more });
const results = async (thread: SeenThread) => resultsIn(await thread.log());

it("the requester approves: the command runs once, and the card says so to everybody", async () => {
  const thread = await asked();
  expect(card(thread)).toContain("Alice Acme can decide");
  expect(card(thread)).toContain(`echo \\"ran ${count}\\"`);
  const answer = await press(thread, "alice", "approve").done;
  expect(answer).toMatchObject({ status: 200, body: { statusCode: 200, type: WORDS } });
  await thread.reaches("Done");
  expect(thread.said()).toEqual(["It is done."]);
  expect(await results(thread)).toEqual([`ran ${count}\n`]);
  expect(thread.approvals()).toHaveLength(1);
  expect(card(thread)).toMatch(/Approved.*By Alice Acme/);
  expect(card(thread)).not.toContain(CARD_VERBS.approve);
  const [audit] = await cluster.records.audit.list({ limit: 1 });
  expect(audit).toMatchObject({ action: "approval_decided", person: aad("alice"), email: "alice@acme.test" });
});

it("a client that knows no Action.Execute decides as well", async () => {
  const thread = await asked();
  await press(thread, "alice", "approve", { asSubmit: true }).done;
  await thread.reaches("Done");
  expect(await results(thread)).toEqual([`ran ${count}\n`]);

  const denied = await asked();
  await press(denied, "alice", "deny", { asSubmit: true, inputs: { [DENY_REASON_INPUT]: "too old a client" } }).done;
  await denied.reaches("Done");
  expect((await results(denied))[0]).toContain("too old a client");
});

it("somebody else presses: they alone are told why not, and it still waits", async () => {
  const thread = await asked();
  const only = "Only Alice Acme may decide on this.";
  expect((await press(thread, "bob", "approve").done).body).toMatchObject({ type: WORDS, value: only });
  expect((await press(thread, "bob", "deny").done).body).toMatchObject({ type: WORDS, value: only });
  await press(thread, "bob", "approve", { asSubmit: true }).done;
  const whispered = () => cluster.teams.messages(place).filter(({ targetedTo }) => targetedTo?.key === "bob");
  await cluster.teams.until("the words to Bob", () => whispered().some((each) => textOf(each) === only), 30_000);
  thread.say("approve", { user: "bob" });
  await thread.says("for somebody else to decide");
  expect(card(thread)).toContain("May I run");
  expect(await results(thread)).toEqual([]);
  await press(thread, "alice", "approve").done;
  await thread.reaches("Done");
  expect(await results(thread)).toEqual([`ran ${count}\n`]);
});

it("who presses is told by Entra's id of the caller, which nothing in the press itself can stand for", async () => {
  const thread = await asked({ approvers: [aad("bob")] });
  const pretended = { from: { aadObjectId: aad("bob") }, aadObjectId: aad("bob"), personId: aad("bob") };
  const { body } = await press(thread, "alice", "approve", { inputs: pretended }).done;
  expect(body).toMatchObject({ type: WORDS, value: "Only Bob Acme may decide on this." });
  expect(card(thread)).toContain("May I run");
  await press(thread, "bob", "approve").done;
  await thread.reaches("Done");
  expect(card(thread)).toContain("By Bob Acme");
});

it("denied with a reason: the agent reads it, the command does not run, the card shows it", async () => {
  const thread = await asked();
  await press(thread, "alice", "deny", { inputs: { [DENY_REASON_INPUT]: "not on a Friday" } }).done;
  await thread.reaches("Done");
  expect(await results(thread)).toEqual([expect.stringContaining(DENIED)]);
  expect((await results(thread))[0]).toContain("not on a Friday");
  expect(card(thread)).toMatch(/Denied.*By Alice Acme.*not on a Friday/);
});

it("pressing again, with the same or another word, is harmless: the first decision counts", async () => {
  const thread = await asked();
  const sent = press(thread, "alice", "approve");
  await sent.done;
  const again = [press(thread, "alice", "approve"), press(thread, "alice", "deny")].map(({ done }) => done);
  const answers = await Promise.all([...again, cluster.teams.redeliver(sent.delivery)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  await thread.reaches("Done");
  const decisions = (await thread.log()).filter(({ event }) => event.type === "user.tool_confirmation");
  expect(decisions).toHaveLength(1);
  expect(await results(thread)).toEqual([`ran ${count}\n`]);
  expect(thread.said()).toEqual(["It is done."]);
  expect(thread.approvals()).toHaveLength(1);
});

it("after a stop it is no longer needed", async () => {
  const thread = await asked();
  thread.say("stop");
  await thread.reaches("Stopped");
  await thread.until("the card", () => card(thread).includes("No longer needed"));
  expect(card(thread)).not.toContain(CARD_VERBS.approve);
  expect(thread.said()).not.toContain("It is done.");
});

it("nobody decides in time: the command is denied, and the card says so", async () => {
  const thread = await asked({ approvalMinutes: 1 });
  await cluster.database.execute("UPDATE chat_approvals SET expires_at = now() WHERE chat_thread_key = $1", thread.key);
  await thread.reaches("Done");
  expect(await results(thread)).toEqual([expect.stringContaining("Nobody approved this in time")]);
  expect(card(thread)).toContain("Nobody decided in time");
});

it("words decide as buttons do, in a personal chat as well", async () => {
  place = newPerson(cluster.teams);
  const approved = await asked();
  approved.say("yes, go ahead");
  await approved.reaches("Done");
  expect(await results(approved)).toEqual([`ran ${count}\n`]);

  place = newChannel(cluster.teams);
  const denied = await asked();
  denied.say("deny: too risky");
  await denied.reaches("Done");
  expect((await results(denied))[0]).toContain("too risky");
  expect(card(denied)).toMatch(/Denied.*By Alice/);
});
