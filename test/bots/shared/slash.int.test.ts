import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatPlaceKey } from "../../../bots/shared/chat-place.ts";
import type { ChatRecords, ThreadSummary } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import type { ChatStore } from "../../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { type ChatAgent, findChatAgent } from "../../../bots/shared/default-agent.ts";
import type { InboundItem } from "../../../bots/shared/inbound-item.ts";
import { type PickedDeps, runPicked } from "../../../bots/shared/picked.ts";
import { runSlash, type SlashDeps } from "../../../bots/shared/slash.ts";
import { createThreadSessions, type ThreadSessions } from "../../../bots/shared/thread-sessions.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { TerminalError } from "../../../src/errors.ts";
import { createChatService } from "../../fakes/chat-surface.ts";
import { type FlakyNetwork, startFlakyNetwork } from "../../fakes/flaky-network.ts";
import { startApi, type TestApi } from "../../support/api.ts";
import { SILENT } from "../../support/silent-log.ts";

const { signal } = new AbortController();
const ann = { id: "U1", name: "Ann" };
const bob = { id: "U2", name: "Bob" };
const gus = { id: "U3", name: "Gus" };
let api: TestApi;
let network: FlakyNetwork;
let database: Database;
let store: ChatStore;
let records: ChatRecords;
let agent: ChatAgent;
let sessions: ThreadSessions;
beforeAll(async () => {
  api = await startApi();
  network = await startFlakyNetwork(api.baseURL);
  database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  store = createDatabaseChatStore(database);
  records = createDatabaseChatRecords(database);
  agent = await findChatAgent({ client: api.client, model: "model-a", agentId: null }, signal);
  sessions = createThreadSessions({ client: api.client, threads: store.threads });
  await api.client.beta.agents.create({ name: "Reports", model: "model-b" });
});
afterAll(async () => {
  await network.close();
  await database.close();
  await api.stop();
});

let count = 0;
/** A channel of its own, in a workspace of its own. */
function openChannel() {
  const team: ChatPlaceKey = `slack:T${++count}`;
  const place: ChatPlaceKey = `${team}:C1`;
  const service = createChatService();
  const accepted: { thread: ChatThreadKey; messageId: string; item: InboundItem }[] = [];
  const deps: SlashDeps & PickedDeps = {
    client: new Anthropic({ baseURL: network.url, apiKey: api.key, maxRetries: 0 }),
    surface: service.surface(),
    source: {
      linkTo: async (thread) => `https://chat.test/${thread}`,
      inGroup: async (_, group) => group === "S1",
      person: async (_, id) => ({ id, name: id, email: null, kind: id === gus.id ? "guest" : "member" }),
    },
    store,
    sessions,
    records,
    defaultAgentId: agent.agentId,
    log: SILENT,
    accept: async (thread, messageId, item) => void accepted.push({ thread, messageId, item }),
  };
  let threads = 0;
  let calls = 0;
  return {
    team,
    place,
    service,
    accepted,
    deps,
    async begin(by: { id: string }, title: string, state: ThreadSummary["state"] = "working", where = place) {
      const thread = `${where}:${++threads}.0` as ChatThreadKey;
      await sessions.ensure(thread, { ...agent, title }, signal);
      await records.directory.began(thread, { place: where, requester: by.id, title });
      await records.directory.reached(thread, state);
      return thread;
    },
    slash: (person: typeof ann, text: string) =>
      runSlash(deps, { id: `c${++calls}`, place, team, person, text }, signal),
    pick: (person: typeof ann, thread: ChatThreadKey, action: "stop" | "steer" | "new" = "stop", from = team) =>
      runPicked(deps, { id: `p${++calls}`, action, thread, team: from, person, text: "use green" }, signal),
  };
}

describe("stop", () => {
  it("reaches the caller's one session that runs there, and no other", async () => {
    const channel = openChannel();
    const mine = await channel.begin(ann, "Board deck");
    await channel.begin(bob, "Somebody else's");
    await channel.begin(ann, "Done long ago", "done");
    await channel.begin(ann, "Elsewhere", "working", `${channel.team}:C2`);
    expect(await channel.slash(ann, "stop")).toMatchObject({ type: "notice", markdown: "Stopping “Board deck”." });
    expect(channel.accepted).toEqual([{ thread: mine, messageId: "slash:c1", item: { type: "stop", personId: "U1" } }]);
  });

  it("asks which when several run, the latest first, and stops what is picked", async () => {
    const channel = openChannel();
    const one = await channel.begin(ann, "One");
    const two = await channel.begin(ann, "Two", "waiting");
    const reply = await channel.slash(ann, "stop");
    expect(reply).toMatchObject({
      type: "pick",
      action: "stop",
      text: null,
      threads: [
        { thread: two, title: "Two", state: "waiting", link: `https://chat.test/${two}` },
        { thread: one, title: "One", state: "working" },
      ],
    });
    expect(channel.accepted).toEqual([]);
    await channel.pick(ann, one);
    expect(channel.accepted).toMatchObject([{ thread: one, item: { type: "stop" } }]);
  });

  it("says how to begin when nothing of the caller's runs there", async () => {
    const channel = openChannel();
    await channel.begin(bob, "Somebody else's");
    expect(await channel.slash(ann, "stop")).toMatchObject({ markdown: expect.stringContaining("Mention me") });
    expect(channel.accepted).toEqual([]);
  });

  it("works while the API is down", async () => {
    const channel = openChannel();
    await channel.begin(ann, "Board deck");
    network.down();
    expect(await channel.slash(ann, "stop")).toMatchObject({ level: "info" });
    expect(await channel.slash(ann, "agents")).toMatchObject({ level: "error" });
    network.up();
    expect(channel.accepted).toHaveLength(1);
  });
});

describe("steer", () => {
  it("becomes a message to the session, and is shown to the thread once", async () => {
    const channel = openChannel();
    const thread = await channel.begin(ann, "Board deck");
    const call = { id: "c9", place: channel.place, team: channel.team, person: ann, text: "steer use *green*\nin all" };
    for (let time = 0; time < 2; time++) {
      expect(await runSlash(channel.deps, call, signal)).toMatchObject({ markdown: "Passed on to “Board deck”." });
    }
    expect(channel.accepted[0]).toMatchObject({
      thread,
      messageId: "slash:c9",
      item: { type: "message", personId: "U1", text: "/steer use *green*\nin all", addressed: true },
    });
    expect(channel.service.posts.map((post) => post.thread)).toEqual([thread]);
    expect(channel.service.words()).toEqual(["**Ann**, by `/deckhand steer`:\n> use *green*\n> in all"]);
  });

  it("says so when the words could not be shown", async () => {
    const channel = openChannel();
    await channel.begin(ann, "Board deck");
    channel.service.fail("post", "before", new TerminalError("msg_blocks_too_long"));
    expect(await channel.slash(ann, "steer use green")).toMatchObject({
      markdown: expect.stringContaining("could not be shown"),
    });
    expect(channel.accepted).toHaveLength(1);
  });

  it("keeps its words while it asks which session is meant", async () => {
    const channel = openChannel();
    await channel.begin(ann, "One");
    await channel.begin(ann, "Two");
    expect(await channel.slash(ann, "steer use green")).toMatchObject({ type: "pick", text: "use green" });
    expect(await channel.slash(ann, "steer")).toMatchObject({ markdown: expect.stringContaining("steer <text>") });
  });
});

describe("status", () => {
  it("lists the caller's running sessions of the whole team, and the others of the channel", async () => {
    const channel = openChannel();
    const elsewhere = await channel.begin(ann, "Elsewhere", "working", `${channel.team}:C2`);
    const here = await channel.begin(ann, "Here");
    const others = await channel.begin(bob, "Bob's");
    await channel.begin(bob, "Bob's elsewhere", "working", `${channel.team}:C2`);
    await channel.begin(ann, "Done", "done");
    expect(await channel.slash(ann, "status")).toMatchObject({
      type: "list",
      sections: [
        { title: "Yours", threads: [{ thread: here }, { thread: elsewhere }] },
        { title: "Others here", threads: [{ thread: others, requester: "U2" }] },
      ],
    });
  });

  it("shows a thread without a link when the surface gives none", async () => {
    const channel = openChannel();
    await channel.begin(ann, "Here");
    channel.deps.source = { ...channel.deps.source, linkTo: async () => Promise.reject(new TerminalError("no scope")) };
    expect(await channel.slash(ann, "status")).toMatchObject({
      sections: [{ threads: [{ title: "Here", link: null }] }],
    });
  });

  it("says so when nothing runs", async () => {
    expect(await openChannel().slash(ann, "status")).toMatchObject({ type: "notice" });
  });
});

describe("new", () => {
  it("offers the latest thread of the caller, and starts afresh there when it is taken up", async () => {
    const channel = openChannel();
    await channel.begin(ann, "First", "done");
    const latest = await channel.begin(ann, "Second", "done");
    expect(await channel.slash(ann, "new")).toMatchObject({
      type: "pick",
      action: "new",
      threads: [{ thread: latest }],
    });
    await channel.pick(ann, latest, "new");
    expect(channel.accepted).toMatchObject([{ thread: latest, item: { type: "message", text: "/new" } }]);
  });

  it("explains itself where the caller has no thread", async () => {
    expect(await openChannel().slash(ann, "new")).toMatchObject({ type: "notice" });
  });
});

describe("agents, use, usage, approve and help", () => {
  it("use gives the latest thread to the agent", async () => {
    const channel = openChannel();
    const thread = await channel.begin(ann, "Board deck", "done");
    const reply = await channel.slash(ann, "use reports");
    expect(reply).toMatchObject({ markdown: expect.stringContaining(`[“Board deck”](https://chat.test/${thread})`) });
    expect(await records.directory.chosenAgent(thread)).not.toBeNull();
    expect(await sessions.current(thread)).toBeNull();
  });

  it("use explains where agents are set when there is no thread, and who there is when the name is unknown", async () => {
    const channel = openChannel();
    expect(await channel.slash(ann, "use reports")).toMatchObject({
      markdown: expect.stringContaining("channels set"),
    });
    expect(await channel.slash(ann, "use xyz")).toMatchObject({ level: "warning" });
    expect(await channel.slash(ann, "use")).toMatchObject({
      markdown: expect.stringContaining("**Deckhand** (in use)"),
    });
  });

  it("agents and use keep to those that an operator lets people choose of", async () => {
    const channel = openChannel();
    const thread = await channel.begin(ann, "Board deck", "done");
    await records.policies.set(channel.place, { agents: [] });
    expect(await channel.slash(ann, "agents")).toMatchObject({ markdown: expect.not.stringContaining("Reports") });
    expect(await channel.slash(ann, "use reports")).toMatchObject({
      level: "warning",
      markdown: expect.stringContaining("set by an operator"),
    });
    expect(await records.directory.chosenAgent(thread)).toBeNull();
    expect(await sessions.current(thread)).not.toBeNull();
  });

  it("use names no agent that people may not choose there", async () => {
    const channel = openChannel();
    await api.client.beta.agents.create({ name: "Payroll", model: "model-b" });
    await api.client.beta.agents.create({ name: "Payroll", model: "model-b" });
    await records.policies.set(channel.place, { agents: [] });
    for (const wanted of ["use payroll", "use payrol", "use pay", "use payrll"]) {
      expect(await channel.slash(ann, wanted)).toMatchObject({
        level: "warning",
        markdown: expect.not.stringMatching(/Payroll|agent_/),
      });
    }
  });

  it("usage tells of the place and the person", async () => {
    expect(await openChannel().slash(ann, "usage")).toMatchObject({
      markdown: expect.stringMatching(/Here: \$0.*\n- You, in all places: \$0/),
    });
  });

  it("approve leads to the threads that wait, as nobody decides on what they don't see", async () => {
    const channel = openChannel();
    const waiting = await channel.begin(ann, "Waits", "waiting");
    await channel.begin(ann, "Works");
    expect(await channel.slash(ann, "approve")).toMatchObject({ sections: [{ threads: [{ thread: waiting }] }] });
    expect(channel.accepted).toEqual([]);
  });

  it("help names every command; an unknown one gets it with the nearest", async () => {
    const channel = openChannel();
    const help = {
      markdown: expect.stringMatching(/stop[^]*status[^]*steer[^]*new[^]*agents[^]*use <agent>[^]*usage/),
    };
    expect(await channel.slash(ann, "")).toMatchObject(help);
    expect(await channel.slash(ann, "stpo")).toMatchObject(help);
    expect(await channel.slash(ann, "stpo")).toMatchObject({
      markdown: expect.stringContaining("Did you mean `stop`?"),
    });
  });
});

describe("people who may not give work", () => {
  it.each(["agents", "use", "use reports", "use xyz", "usage", "status"])(
    "learn nothing of the place by %s",
    async (text) => {
      const channel = openChannel();
      await channel.begin(bob, "Board deck");
      const thread = await channel.begin(gus, "From before", "done");
      const reply = await channel.slash(gus, text);
      expect(reply).toMatchObject({ level: "warning", markdown: expect.stringContaining("guests can't give me work") });
      expect(await records.directory.chosenAgent(thread)).toBeNull();
      await records.policies.set(channel.place, { allowUsers: [bob.id] });
      expect(await channel.slash(ann, text)).toMatchObject({ markdown: expect.stringContaining("not among them") });
    },
  );

  it("still see what is theirs, and get help", async () => {
    const channel = openChannel();
    await channel.begin(bob, "Board deck");
    const thread = await channel.begin(gus, "From before");
    expect(await channel.slash(gus, "status")).toEqual({
      type: "list",
      sections: [{ title: "Yours", threads: [expect.objectContaining({ thread })] }],
    });
    expect(await channel.slash(gus, "help")).toMatchObject({ level: "info" });
  });

  it("are also those of whom the surface does not tell", async () => {
    const channel = openChannel();
    channel.deps.source = { ...channel.deps.source, person: async () => Promise.reject(new TerminalError("Nobody.")) };
    expect(await channel.slash(ann, "agents")).toMatchObject({ level: "warning" });
  });
});

describe("what is picked", () => {
  it("is left alone when it is somebody else's", async () => {
    const channel = openChannel();
    const thread = await channel.begin(bob, "Bob's");
    expect(await channel.pick(ann, thread)).toMatchObject({ level: "warning" });
    expect(channel.accepted).toEqual([]);
  });

  it.each([
    ["by name", "U1"],
    ["by a group", "S1"],
  ])("is open to those who decide on approvals there, %s", async (_, approver) => {
    const channel = openChannel();
    await records.policies.set(channel.place, { approvers: [approver] });
    const thread = await channel.begin(bob, "Bob's");
    await channel.pick(ann, thread, "steer");
    expect(channel.accepted).toHaveLength(1);
  });

  it("is not there for another team, whoever asks", async () => {
    const channel = openChannel();
    const thread = await channel.begin(ann, "Mine");
    const reply = await channel.pick(ann, thread, "stop", "slack:TOTHER");
    expect(reply).toMatchObject({ markdown: "That thread has no session any more." });
    expect(channel.accepted).toEqual([]);
  });
});
