import { WebClient } from "@slack/web-api";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ACTION_IDS, encodeStop } from "../../../bots/slack/action-ids.ts";
import { HAND_OVER_SHORTCUT } from "../../../bots/slack/hand-over-modal.ts";
import type { ChatCore } from "../../../bots/slack/listeners/listener-deps.ts";
import { DEFAULT_POLICY } from "../../../bots/shared/channel-policy.ts";
import { type FakeSlack, startFakeSlack } from "../../fakes/slack-web-api.ts";
import { type SlackAppRig, startSlackApp } from "../../support/slack-app-rig.ts";

const ALICE = "U01ALICE";
const BOB = "U02BOB";
const ENG = "C01ENG";

describe.each(["http", "socket"] as const)("the Slack app by %s", (mode) => {
  let fake: FakeSlack;
  let rig: SlackAppRig;
  let bot: WebClient;
  const core: Partial<ChatCore> = {
    othersWhoDecide: async (_, personId) => (personId === ALICE ? null : [ALICE, "S01ADMINS"]),
    home: async () => EMPTY_HOME,
  };

  beforeAll(async () => {
    fake = await startFakeSlack({ retryDelaysMs: [0, 0], ackTimeoutMs: 1_500 });
    rig = await startSlackApp({ mode, slack: fake, botToken: "xoxb-acme", core });
    fake.deliverTo(mode === "http" ? rig.eventsUrl : "socket");
    bot = new WebClient("xoxb-acme", { slackApiUrl: fake.apiUrl });
  });
  afterEach(async () => {
    await rig.clear();
    if (fake.violations.length > 0) throw new Error(fake.violations.join("\n"));
  });
  afterAll(async () => {
    await rig?.stop();
    await fake?.close();
  });

  const mention = async (over: Record<string, string> = {}) => {
    const said = fake.say({ channel: ENG, user: ALICE, text: "<@U0BOT> make a report", ...over });
    await said.done;
    return said;
  };
  const postedByBot = async (threadTs: string, elements: Record<string, unknown>[]) => {
    const posted = await bot.apiCall("chat.postMessage", {
      channel: ENG,
      thread_ts: threadTs,
      text: "buttons",
      blocks: [{ type: "actions", elements }],
    });
    return String(Object.entries(posted).find(([key]) => key === "ts")?.[1]);
  };
  const button = (action_id: string, value: string) => ({
    type: "button",
    action_id,
    value,
    text: { type: "plain_text", text: "Press" },
  });
  const ephemeralTo = (user: string) => () => fake.messages(ENG).findLast(({ ephemeralFor }) => ephemeralFor === user);

  it("keeps a mention once, though it arrives as two events and each of them again", async () => {
    const { ts, deliveries } = await mention();
    expect(deliveries).toHaveLength(2);
    for (const delivery of deliveries) await fake.redeliver(delivery);
    expect(deliveries.every(({ acked, attempts }) => acked && attempts.length === 1)).toBe(true);
    expect((await rig.kept()).filter(({ item }) => item.type !== "files")).toMatchObject([
      {
        thread: `slack:T01ACME:${ENG}:${ts}`,
        messageId: ts,
        item: {
          type: "message",
          personId: ALICE,
          text: "make a report",
          attachments: [],
          addressed: true,
          agentId: null,
          reactTo: ts,
        },
      },
    ]);
    expect(rig.hints).toEqual([`slack:T01ACME:${ENG}:${ts}`]);
  });

  it("keeps replies of a thread it was called into, with names for ids, and none of any other", async () => {
    const { ts } = await mention();
    const elsewhere = fake.say({ channel: ENG, user: ALICE, text: "lunch?" });
    await elsewhere.done;
    await fake.say({ channel: ENG, user: BOB, text: `ask <@${ALICE}>`, threadTs: ts }).done;
    await fake.say({ channel: ENG, user: BOB, text: "yes", threadTs: elsewhere.ts }).done;
    const texts = (await rig.kept()).map(({ item }) => item.type === "message" && item.text);
    expect(texts).toEqual(["make a report", `ask @name of ${ALICE}`]);
  });

  it("makes nothing of an edit, a deletion, or its own words", async () => {
    const { ts } = await mention();
    await fake.edit(ENG, ts, "<@U0BOT> make two reports").done;
    await bot.apiCall("chat.postMessage", { channel: ENG, thread_ts: ts, text: "<@U0BOT> myself" });
    await fake.remove(ENG, ts).done;
    expect(await rig.kept()).toHaveLength(1);
  });

  it("keeps files by reference, and a direct message as a thread of its own", async () => {
    const said = fake.say({
      channel: "D01ALICE",
      user: ALICE,
      text: "clean this",
      files: [{ name: "q3.csv", bytes: Buffer.from("a,b") }],
    });
    await said.done;
    const [row] = await rig.kept();
    expect(row).toMatchObject({
      thread: `slack:T01ACME:D01ALICE:${said.ts}`,
      item: { text: "clean this", addressed: true, attachments: [{ filename: "q3.csv", sizeBytes: 3 }] },
    });
  });

  it.each(["yes", "without_files", "no_mention"] as const)(
    "keeps the files of a mention once, whichever of its events brings them (in the mention: %s)",
    async (mentionWithFiles) => {
      const files = [{ name: "q3.csv", bytes: Buffer.from("a,b") }];
      const said = fake.say({ channel: ENG, user: ALICE, text: "<@U0BOT> clean this", files, mentionWithFiles });
      await said.done;
      for (const delivery of said.deliveries) await fake.redeliver(delivery);
      const kept = await rig.kept();
      expect(kept.filter(({ item }) => item.type === "message")).toHaveLength(1);
      const refs = kept.flatMap(({ item }) => ("attachments" in item ? (item.attachments ?? []) : []));
      expect(refs).toMatchObject([{ filename: "q3.csv" }]);
    },
  );

  it("keeps what comes from another organisation in a shared channel, in the thread of this one", async () => {
    const said = fake.say({ channel: "C05SHARED", user: "U91STRANGER", text: "<@U0BOT> help" });
    await said.done;
    expect(await rig.kept()).toMatchObject([
      { thread: `slack:T01ACME:C05SHARED:${said.ts}`, item: { addressed: true } },
    ]);
  });

  it("takes nothing for a workspace it is not set up for, and has Slack forget it", async () => {
    const said = fake.say({ channel: "C21GEN", user: "U21CARA", text: "<@U0BOTBETA> hello" });
    await said.done;
    expect(said.deliveries.every(({ acked }) => acked)).toBe(true);
    expect(await rig.kept()).toEqual([]);
  });

  it("does not acknowledge what it can't keep, and keeps it once when it comes again", async () => {
    await rig.testDatabase.allowConnections(false);
    const { ts, deliveries } = await mention();
    expect(deliveries.map(({ acked }) => acked)).toEqual([false, false]);
    await rig.testDatabase.allowConnections(true);
    for (const delivery of deliveries) await fake.redeliver(delivery);
    expect((await rig.kept()).map(({ messageId }) => messageId)).toEqual([ts]);
  });

  it("keeps a stop by Slack's own button and ends the working sign", async () => {
    const { ts } = await mention();
    const since = fake.callsTo("agents.sessions.setStatus").length;
    await fake.stopSession({ channel: ENG, threadTs: ts, user: ALICE }).done;
    await fake.until("the working sign to end", () => fake.callsTo("agents.sessions.setStatus").length > since);
    expect((await rig.kept()).at(-1)).toMatchObject({
      thread: `slack:T01ACME:${ENG}:${ts}`,
      item: { type: "stop", personId: ALICE },
    });
  });

  it("keeps a stop by 🛑 on any message of the thread, and by the button", async () => {
    const { ts } = await mention();
    const status = await postedByBot(ts, [button(ACTION_IDS.stop, encodeStop(`slack:T01ACME:${ENG}:${ts}`))]);
    await fake.react(ENG, status, BOB, "octagonal_sign").done;
    await fake.react(ENG, status, BOB, "eyes").done;
    const elsewhere = fake.say({ channel: ENG, user: BOB, text: "no way" });
    await fake.react(ENG, elsewhere.ts, ALICE, "octagonal_sign").done;
    await fake.press({ channel: ENG, ts: status, user: ALICE, actionId: ACTION_IDS.stop }).done;
    const thread = `slack:T01ACME:${ENG}:${ts}`;
    expect((await rig.kept()).slice(1)).toMatchObject([
      { thread, item: { type: "stop", personId: BOB } },
      { thread, item: { type: "stop", personId: ALICE } },
    ]);
  });

  it("keeps an approval, and tells who may not decide at once", async () => {
    const { ts } = await mention();
    const card = await postedByBot(ts, [button(ACTION_IDS.approve, "sevt_1")]);
    await fake.press({ channel: ENG, ts: card, user: BOB, actionId: ACTION_IDS.approve }).done;
    await fake.press({ channel: ENG, ts: card, user: ALICE, actionId: ACTION_IDS.approve }).done;
    expect((await rig.kept()).slice(1)).toMatchObject([
      { item: { type: "decision", personId: ALICE, toolUseId: "sevt_1", decision: "allow", reason: null } },
    ]);
    expect(ephemeralTo(BOB)()?.text).toBe(`Only <@${ALICE}>, <!subteam^S01ADMINS> may decide on this.`);
  });

  it("tells who may not decide by a message of the thread where ephemeral ones may not be shown", async () => {
    const channel = "D02BOB";
    const said = fake.say({ channel, user: BOB, text: "clean up" });
    await said.done;
    for (const actionId of [ACTION_IDS.approve, ACTION_IDS.deny]) {
      const blocks = [{ type: "actions", elements: [button(actionId, "sevt_1")] }];
      await bot.chat.postMessage({ channel, thread_ts: said.ts, text: "buttons", blocks });
      const card = fake.thread(channel, said.ts).at(-1);
      await fake.press({ channel, ts: card?.ts ?? "", user: BOB, actionId }).done;
      const told = () => fake.thread(channel, said.ts).at(-1)?.text.startsWith("Only <@");
      await fake.until("the words", told);
    }
    expect(fake.messages(channel).every(({ ephemeralFor }) => ephemeralFor === null)).toBe(true);
    expect((await rig.kept()).filter(({ item }) => item.type === "decision")).toEqual([]);
  });

  it("asks why before it denies", async () => {
    const { ts } = await mention();
    const card = await postedByBot(ts, [button(ACTION_IDS.deny, "sevt_2")]);
    await fake.press({ channel: ENG, ts: card, user: ALICE, actionId: ACTION_IDS.deny }).done;
    const view = await fake.until("the modal", () => [...fake.world.views.values()].at(-1));
    const submitted = fake.submitView(view.id, {
      reason: { text: { type: "plain_text_input", value: "not on Friday" } },
    });
    await submitted.done;
    expect(submitted.deliveries[0]?.acked).toBe(true);
    expect((await rig.kept()).at(-1)).toMatchObject({
      thread: `slack:T01ACME:${ENG}:${ts}`,
      item: { type: "decision", toolUseId: "sevt_2", decision: "deny", reason: "not on Friday" },
    });
  });

  it("keeps the modal open with words when a denial can't be kept", async () => {
    const { ts } = await mention();
    const card = await postedByBot(ts, [button(ACTION_IDS.deny, "sevt_3")]);
    await fake.press({ channel: ENG, ts: card, user: ALICE, actionId: ACTION_IDS.deny }).done;
    const view = await fake.until("the modal", () => [...fake.world.views.values()].at(-1));
    await rig.testDatabase.allowConnections(false);
    const submitted = fake.submitView(view.id, { reason: { text: { type: "plain_text_input", value: null } } });
    await submitted.done;
    await rig.testDatabase.allowConnections(true);
    expect(submitted.deliveries[0]?.attempts[0]?.body).toMatchObject({ response_action: "errors" });
  });

  it("answers a command to the caller alone", async () => {
    const command = fake.command({ channel: ENG, user: BOB, command: "/deckhand", text: "status" });
    await command.done;
    expect(command.deliveries[0]?.acked).toBe(true);
    const told = () => JSON.stringify(ephemeralTo(BOB)() ?? null).includes("You said status.");
    await fake.until("the answer", told);
  });

  it("keeps a rating", async () => {
    const { ts } = await mention();
    await bot.apiCall("chat.postMessage", {
      channel: ENG,
      thread_ts: ts,
      text: "answer",
      blocks: [{ type: "context_actions", elements: [FEEDBACK] }],
    });
    const answer = fake.messages(ENG).findLast(({ text }) => text === "answer");
    await fake.press({ channel: ENG, ts: answer?.ts ?? "", user: BOB, actionId: ACTION_IDS.rate, choose: "negative" })
      .done;
    await fake.until("the rating", () => rig.ratings.length > 0);
    expect(rig.ratings.at(-1)).toEqual({
      thread: `slack:T01ACME:${ENG}:${ts}`,
      personId: BOB,
      answerId: "sevt_9",
      value: "down",
    });
  });

  it("hands a message over to an agent, in that message's thread", async () => {
    const said = fake.say({ channel: ENG, user: BOB, text: "sales were 3, 4 and 5" });
    await said.done;
    await fake.shortcut({ channel: ENG, ts: said.ts, user: ALICE, callbackId: HAND_OVER_SHORTCUT }).done;
    const view = await fake.until("the modal", () => [...fake.world.views.values()].at(-1));
    await fake.submitView(view.id, {
      instruction: { input: { type: "plain_text_input", value: "chart <this>" } },
      agent: { input: { type: "static_select", selected_option: { value: "agent_1" } } },
    }).done;
    expect(await rig.kept()).toMatchObject([
      {
        thread: `slack:T01ACME:${ENG}:${said.ts}`,
        messageId: `view:${view.id}`,
        item: {
          type: "message",
          personId: ALICE,
          text: "chart <this>",
          addressed: true,
          agentId: "agent_1",
          reactTo: null,
          handedOver: true,
        },
      },
    ]);
  });

  it("says in the modal that it can't post where it is not a member", async () => {
    const said = fake.say({ channel: "C03OUT", user: ALICE, text: "look" });
    await fake.shortcut({ channel: "C03OUT", ts: said.ts, user: ALICE, callbackId: HAND_OVER_SHORTCUT }).done;
    const view = [...fake.world.views.values()].at(-1);
    const submitted = fake.submitView(view?.id ?? "", {
      instruction: { input: { type: "plain_text_input", value: "x" } },
      agent: { input: { type: "static_select", selected_option: { value: "default" } } },
    });
    await submitted.done;
    expect(JSON.stringify(submitted.deliveries[0]?.attempts[0]?.body)).toContain("not in this channel");
    expect(await rig.kept()).toEqual([]);
  });

  it("shows a home, and suggests what to ask for", async () => {
    await fake.openHome(ALICE, "home").done;
    const home = await fake.until("the home tab", () => fake.world.homes.get(`T01ACME:${ALICE}`));
    expect(JSON.stringify(home)).toContain("Refresh");
    await fake.openHome(ALICE, "messages").done;
    await fake.until("the prompts", () => fake.callsTo("assistant.threads.setSuggestedPrompts").at(-1)?.answer?.ok);
  });

  it("forgets a workspace that removed it", async () => {
    await fake.revokeTokens("T02BETA").done;
    expect(rig.forgotten).toEqual(["T02BETA"]);
  });
});

const FEEDBACK = {
  type: "feedback_buttons",
  action_id: ACTION_IDS.rate,
  positive_button: { text: { type: "plain_text", text: "Good" }, value: "sevt_9:up" },
  negative_button: { text: { type: "plain_text", text: "Bad" }, value: "sevt_9:down" },
};

const EMPTY_HOME: Awaited<ReturnType<ChatCore["home"]>> = {
  running: [],
  waiting: [],
  done: [],
  files: [],
  defaults: DEFAULT_POLICY,
  agentName: "Deckhand",
  usage: { month: "2026-11", costCents: 0, tokens: 0, sessions: 0 },
  incomplete: false,
};
