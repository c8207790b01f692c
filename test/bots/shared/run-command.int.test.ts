import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApprovalDesk } from "../../../bots/shared/approval-desk.ts";
import type { ChatRecords } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import type { ChatStore } from "../../../bots/shared/chat-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { parseCommand } from "../../../bots/shared/commands.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { type ChatAgent, findChatAgent } from "../../../bots/shared/default-agent.ts";
import { type CommandDeps, runCommand } from "../../../bots/shared/run-command.ts";
import { createThreadSessions, type ThreadSessions } from "../../../bots/shared/thread-sessions.ts";
import { monthOf } from "../../../bots/shared/usage-report.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { createChatService } from "../../fakes/chat-surface.ts";
import { createPlayedTurns, idleEvent, said } from "../../fakes/played-turns.ts";
import { startApi, type TestApi, userMessage } from "../../support/api.ts";

const { signal } = new AbortController();
let api: TestApi;
let database: Database;
let store: ChatStore;
let records: ChatRecords;
let agent: ChatAgent;
let sessions: ThreadSessions;
let turns: ReturnType<typeof createPlayedTurns>;
beforeAll(async () => {
  api = await startApi();
  database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  store = createDatabaseChatStore(database);
  records = createDatabaseChatRecords(database);
  agent = await findChatAgent({ client: api.client, model: "model-a", agentId: null }, signal);
  sessions = createThreadSessions({ client: api.client, threads: store.threads });
  turns = createPlayedTurns(api.eventLog);
  for (const name of ["Reports", "Board decks", "Board minutes", "Twin", "Twin"]) {
    await api.client.beta.agents.create({ name, model: "model-b", description: `${name} for everyone` });
  }
});
afterAll(async () => {
  await database.close();
  await api.stop();
});

let count = 0;
function openThread(overrides: Partial<CommandDeps> = {}) {
  const channel = `C${++count}`;
  const thread: ChatThreadKey = `slack:T1:${channel}:1.0`;
  const service = createChatService();
  const deps: CommandDeps = {
    client: api.client,
    surface: service.surface(),
    store,
    sessions,
    records,
    defaultAgentId: agent.agentId,
    ensureDelivery: async () => undefined,
    ...overrides,
  };
  let messages = 0;
  return {
    thread,
    place: `slack:T1:${channel}` as const,
    service,
    /** What is answered to these words. */
    async write(text: string, personId: string | null = "U1") {
      const command = parseCommand(text, { approvalOpen: true });
      if (!command) throw new Error(`${text} is no command`);
      const before = service.words().length;
      const words = await runCommand(deps, { thread, messageId: `m${++messages}`, command, personId }, signal);
      return { words, reply: service.words().slice(before).join("\n") };
    },
    async begin() {
      const id = await sessions.ensure(thread, { ...agent, title: "Report" }, signal);
      await api.client.beta.sessions.events.send(id, { events: [userMessage("Start")] });
      await turns.takeUp(id);
      return id;
    },
  };
}

const agentNamed = async (name: string) => {
  for await (const found of api.client.beta.agents.list()) if (found.name === name) return found.id;
  throw new Error(`no agent ${name}`);
};

describe("steer", () => {
  it("gives the words back to be sent, and asks for some when there are none", async () => {
    const { write } = openThread();
    expect(await write("/steer use green")).toEqual({ words: "use green", reply: "" });
    expect(await write("/steer")).toMatchObject({ words: null, reply: expect.stringContaining("steer <text>") });
  });
});

describe("agents", () => {
  it("lists them by name with the one in use marked, and only one of the default agents", async () => {
    await findChatAgent({ client: api.client, model: "model-b", agentId: null }, signal);
    const { write } = openThread();
    const { reply } = await write("agents");
    expect(reply.split("\n").slice(0, 6)).toEqual([
      "- **Board decks**: Board decks for everyone",
      "- **Board minutes**: Board minutes for everyone",
      expect.stringMatching(/^- \*\*Deckhand\*\* \(in use\): /),
      "- **Reports**: Reports for everyone",
      "- **Twin**: Twin for everyone",
      "- **Twin**: Twin for everyone",
    ]);
  });

  it("marks the one that the policy names, and over it the one that was chosen", async () => {
    const { write, place } = openThread();
    const agents = [await agentNamed("Board decks")];
    await records.policies.set(place, { agentId: await agentNamed("Reports"), agents });
    expect((await write("agents")).reply).toContain("**Reports** (in use)");
    await write("/use board decks");
    expect((await write("agents")).reply).toContain("**Board decks** (in use)");
  });

  it("leaves out whom people can't use there, and one that was chosen before an operator decided", async () => {
    const { write, place } = openThread();
    await write("/use board decks");
    await records.policies.set(place, { agentId: await agentNamed("Reports") });
    const { reply } = await write("agents");
    expect(reply).toContain("**Reports** (in use)");
    expect(reply).not.toContain("Board decks");
  });

  it("leaves archived ones out", async () => {
    const old = await api.client.beta.agents.create({ name: "Old", model: "model-b" });
    await api.prisma.agent.update({ where: { id: old.id }, data: { archivedAt: new Date() } });
    const { write } = openThread();
    expect((await write("agents")).reply).not.toContain("Old");
    expect((await write("/use old")).reply).toContain("There is no agent `old`");
  });
});

describe("use", () => {
  it.each(["reports", "REPORTS", "rep"])(
    "finds an agent by name, whatever its case, or its beginning: %j",
    async (name) => {
      const { write, thread } = openThread();
      expect((await write(`/use ${name}`)).reply).toContain("**Reports**");
      expect(await records.directory.chosenAgent(thread)).toBe(await agentNamed("Reports"));
    },
  );

  it("finds an agent by its id", async () => {
    const { write, thread } = openThread();
    const id = await agentNamed("Board decks");
    await write(`/use ${id}`);
    expect(await records.directory.chosenAgent(thread)).toBe(id);
  });

  it("leaves an idle session behind, so that the next message begins one with the agent", async () => {
    const { write, thread, begin } = openThread();
    const id = await begin();
    await turns.commit(id, said("Done."), idleEvent());
    expect((await write("/use reports")).reply).toContain("nothing remembered");
    expect(await sessions.current(thread)).toBeNull();
  });

  it("does not end what is running", async () => {
    const { write, thread, begin } = openThread();
    const id = await begin();
    expect((await write("/use reports")).reply).toContain("still at work");
    expect(await sessions.current(thread)).toBe(id);
    expect(await records.directory.chosenAgent(thread)).toBeNull();
  });

  it("says so when the agent is at it already", async () => {
    const { write, begin } = openThread();
    await begin();
    expect((await write("/use deckhand")).reply).toContain("already");
  });

  it.each([
    ["board", ["Board decks: `agent_", "Board minutes: `agent_"]],
    ["twin", ["Twin: `agent_", "Several agents"]],
    ["reprots", ["There is no agent `reprots`", "Did you mean `Reports`?"]],
    ["xyzzyplugh", ["There is no agent", "`agents` lists"]],
  ])("changes nothing when it is not clear who is meant: %j", async (name, said) => {
    const { write, thread } = openThread();
    const { reply } = await write(`/use ${name}`);
    for (const part of said) expect(reply).toContain(part);
    expect(await records.directory.chosenAgent(thread)).toBeNull();
  });

  it("does not go round the agent that an operator has set", async () => {
    const { write, thread, place } = openThread();
    const id = await agentNamed("Reports");
    await records.policies.set(place, { agentId: id });
    expect((await write("/use board decks")).reply).toContain("The channel's agent is set by an operator.");
    expect(await records.directory.chosenAgent(thread)).toBeNull();
    await write("/use reports");
    expect(await records.directory.chosenAgent(thread)).toBe(id);
  });

  it("keeps to the agents that an operator lets people choose of", async () => {
    const { write, thread, place } = openThread();
    const agents = [await agentNamed("Board decks")];
    await records.policies.set(place, { agents });
    expect((await write("/use reports")).reply).toContain("`agents` lists");
    await write("/use board decks");
    expect(await records.directory.chosenAgent(thread)).toBe(agents[0]);
    await write("/use deckhand");
    expect(await records.directory.chosenAgent(thread)).toBe(agent.agentId);
    await records.policies.set(place, { agents: [] });
    expect((await write("/use board decks")).reply).toContain("set by an operator");
  });

  it("in words that name no agent is a message", async () => {
    const { write } = openThread();
    const sentence = "use agent names instead";
    expect(await write(sentence)).toEqual({ words: sentence, reply: "" });
    expect((await write("use agent reports")).reply).toContain("**Reports**");
    expect((await write("use agent board")).reply).toContain("Several agents");
  });

  it("without a name lists the agents", async () => {
    expect((await openThread().write("/use")).reply).toContain("**Reports**");
  });
});

describe("usage", () => {
  it("adds up the month of the place and of the person, and says what the budget leaves", async () => {
    const { write, place } = openThread();
    const spend = { totalTokens: 1_500_000, place };
    await records.spend.record({ ...spend, sessionId: `s1-${place}`, requester: `U-${place}`, totalCents: 1240 });
    await records.spend.record({ ...spend, sessionId: `s2-${place}`, requester: "U9", totalCents: 60 });
    await records.policies.set(place, { monthlyBudgetUsd: 50 });
    const { reply } = await write("usage", `U-${place}`);
    expect(reply).toContain(`${monthOf(new Date()).slice(0, 4)}:`);
    expect(reply).toContain("Here: $13, 2 sessions, 3M tokens; $37 left of this month's $50");
    expect(reply).toContain("You, in all places: $12.40, 1 session, 1.5M tokens");
  });
});

describe("status", () => {
  it("tells what runs and since when, what waits, and what it cost", async () => {
    const { write, begin } = openThread();
    const id = await begin();
    await api.client.beta.sessions.events.send(id, { events: [userMessage("And blue")] });
    expect((await write("status")).reply).toMatch(
      /^Working for 0:\d\d\. So far in this session: 0 tokens, \d+:\d\d of work\. 1 unread message\.$/,
    );
  });

  it("tells that the session waits for an approval", async () => {
    const { write, begin } = openThread();
    const id = await begin();
    await turns.commit(id, idleEvent("requires_action"));
    expect((await write("status")).reply).toMatch(/^Waiting for an approval\./);
  });
});

describe("approve and deny", () => {
  function deskWith(open: string[], result: Awaited<ReturnType<ApprovalDesk["decide"]>>) {
    const decisions: unknown[] = [];
    const approvals: ApprovalDesk = {
      open: async () => open,
      decide: async (_thread, decision) => {
        decisions.push(decision);
        return result;
      },
    };
    return { approvals, decisions };
  }

  it("decide on each request that is open, with the reason", async () => {
    const { approvals, decisions } = deskWith(["t1", "t2"], "decided");
    const { write } = openThread({ approvals });
    expect((await write("deny: too risky")).reply).toBe("Denied (2 requests).");
    expect(decisions).toEqual([
      { toolUseId: "t1", decision: "deny", personId: "U1", reason: "too risky" },
      { toolUseId: "t2", decision: "deny", personId: "U1", reason: "too risky" },
    ]);
    expect((await write("yes, go ahead")).reply).toBe("Approved (2 requests).");
  });

  it("tell those who may not decide that it still waits", async () => {
    const { write } = openThread(deskWith(["t1"], "not_allowed"));
    expect((await write("approve")).reply).toContain("somebody else to decide");
  });

  it("say so when nothing waits, or somebody was faster", async () => {
    expect((await openThread().write("/approve")).reply).toContain("Nothing waits");
    expect((await openThread(deskWith(["t1"], "too_late")).write("/approve")).reply).toContain("Nothing waits");
  });
});

describe("where there are no places", () => {
  it("commands work, but for those that need one", async () => {
    const terminal = openThread();
    const deps = {
      client: api.client,
      surface: terminal.service.surface(),
      store,
      sessions,
      ensureDelivery: async () => undefined,
    };
    const { thread } = terminal;
    for (const [messageId, text] of ["/help", "/usage", "/use reports", "/agents"].entries()) {
      const command = parseCommand(text);
      if (command) await runCommand(deps, { thread, messageId: String(messageId), command, personId: null }, signal);
    }
    const [help, usage, use, agents] = terminal.service.words();
    expect(help).not.toContain("usage");
    expect(usage).toContain("not counted here");
    expect(use).toContain("can't be changed from here");
    expect(agents).toContain("**Reports**");
    expect(agents).not.toContain("gives this thread");
  });
});
