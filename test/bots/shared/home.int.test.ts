import { Readable } from "node:stream";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChatPlaceKey } from "../../../bots/shared/chat-place.ts";
import type { ChatRecords, ThreadSummary } from "../../../bots/shared/chat-records.ts";
import { createDatabaseChatRecords } from "../../../bots/shared/chat-records-store.ts";
import type { ChatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { createDatabaseChatStore } from "../../../bots/shared/database-chat-store.ts";
import { type ChatAgent, findChatAgent } from "../../../bots/shared/default-agent.ts";
import { type HomeDeps, homeOf } from "../../../bots/shared/home.ts";
import { createThreadSessions, type ThreadSessions } from "../../../bots/shared/thread-sessions.ts";
import { monthOf } from "../../../bots/shared/usage-report.ts";
import { createDatabase, type Database } from "../../../src/database.ts";
import { type FlakyNetwork, startFlakyNetwork } from "../../fakes/flaky-network.ts";
import { startApi, type TestApi } from "../../support/api.ts";
import { SILENT } from "../../support/silent-log.ts";

const { signal } = new AbortController();
let api: TestApi;
let network: FlakyNetwork;
let database: Database;
let records: ChatRecords;
let agent: ChatAgent;
let sessions: ThreadSessions;
beforeAll(async () => {
  api = await startApi();
  network = await startFlakyNetwork(api.baseURL);
  database = createDatabase(String(api.pool.options.connectionString), () => undefined);
  records = createDatabaseChatRecords(database);
  agent = await findChatAgent({ client: api.client, model: "model-a", agentId: null }, signal);
  sessions = createThreadSessions({ client: api.client, threads: createDatabaseChatStore(database).threads });
});
afterAll(async () => {
  await network.close();
  await database.close();
  await api.stop();
});

let count = 0;
/** A workspace of its own. */
function openTeam() {
  const team: ChatPlaceKey = `slack:H${++count}`;
  const deps: HomeDeps = {
    client: new Anthropic({ baseURL: network.url, apiKey: api.key, maxRetries: 0 }),
    source: { linkTo: async (thread) => `https://chat.test/${thread}` },
    records,
    defaultAgentId: agent.agentId,
    log: SILENT,
  };
  let threads = 0;
  return {
    team,
    deps,
    async begin(requester: string, title: string, state: ThreadSummary["state"], channel = "C1") {
      const thread: ChatThreadKey = `${team}:${channel}:${++threads}.0` as ChatThreadKey;
      const sessionId = await sessions.ensure(thread, { ...agent, title }, signal);
      await records.directory.began(thread, { place: `${team}:${channel}`, requester, title });
      await records.directory.reached(thread, state);
      return { thread, sessionId };
    },
    home: (id = "U1") => homeOf(deps, { team, person: { id } }, signal),
  };
}

const deliver = (sessionId: string, path: string) =>
  api.files.saveOutput({
    workspaceId: api.workspaceId,
    sessionId,
    path,
    mtimeNs: String(process.hrtime.bigint()),
    content: Readable.from([Buffer.from("a,b")]),
    preview: null,
  });

const titles = (lines: { title: string }[]) => lines.map(({ title }) => title);

describe("a person's home", () => {
  it("has their sessions by what they are at, of this team alone, the latest first", async () => {
    const { begin, home, team } = openTeam();
    await begin("U1", "Failed once", "failed");
    await begin("U1", "Done in C2", "done", "C2");
    const { thread } = await begin("U1", "Works", "working");
    await begin("U1", "Waits", "waiting");
    await begin("U2", "Somebody else's", "working");
    await openTeam().begin("U1", "Another team's", "working");
    const data = await home();
    expect(titles(data.running)).toEqual(["Works"]);
    expect(data.running[0]).toMatchObject({ place: `${team}:C1`, link: `https://chat.test/${thread}`, costCents: 0 });
    expect(titles(data.waiting)).toEqual(["Waits"]);
    expect(titles(data.done)).toEqual(["Done in C2", "Failed once"]);
    expect(data.incomplete).toBe(false);
  });

  it("has what waits for their approval, though others began it", async () => {
    const { begin, home, team } = openTeam();
    await records.policies.set(`${team}:C1`, { approvers: ["U1"] });
    await begin("U2", "Asks me", "waiting");
    await begin("U2", "Works", "working");
    await begin("U2", "Asks others", "waiting", "C2");
    const data = await home();
    expect(titles(data.waiting)).toEqual(["Asks me"]);
    expect(data.waiting[0]?.costCents).toBeNull();
    expect(data.running).toEqual([]);
  });

  it("has the files that their latest sessions delivered, with the thread they are in", async () => {
    const { begin, home } = openTeam();
    const one = await begin("U1", "One", "done");
    const two = await begin("U1", "Two", "working");
    const theirs = await begin("U2", "Theirs", "done");
    for (const [session, path] of [
      [one, "a.csv"],
      [two, "b.csv"],
      [theirs, "c.csv"],
    ] as const) {
      await deliver(session.sessionId, path);
    }
    const { files } = await home();
    expect(files.map(({ filename, sizeBytes, thread }) => [filename, sizeBytes, thread.title])).toEqual([
      ["b.csv", 3, "Two"],
      ["a.csv", 3, "One"],
    ]);
  });

  it("has the team's defaults, the agent's name and the month's usage", async () => {
    const { home, team } = openTeam();
    await records.policies.set(team, { monthlyBudgetUsd: 20 });
    const spend = { place: `${team}:C1` as const, totalCents: 250, totalTokens: 1000 };
    await records.spend.record({ ...spend, sessionId: `${team}-1`, requester: "U1" });
    await records.spend.record({ ...spend, sessionId: `${team}-2`, requester: "U2" });
    expect(await home()).toMatchObject({
      defaults: { monthlyBudgetUsd: 20, mode: "thread" },
      agentName: "Deckhand",
      usage: { month: monthOf(new Date()), costCents: 250, tokens: 1000, sessions: 1 },
    });
  });

  it("is there without what the API would tell while that is down", async () => {
    const { begin, home } = openTeam();
    await begin("U1", "Works", "working");
    network.down();
    const data = await home();
    network.up();
    expect(titles(data.running)).toEqual(["Works"]);
    expect(data).toMatchObject({ files: [], agentName: null, incomplete: true });
    expect(data.running[0]?.costCents).toBeNull();
  });

  it("does not miss a session that was deleted", async () => {
    const { begin, home } = openTeam();
    const { sessionId } = await begin("U1", "Deleted", "done");
    await api.client.beta.sessions.delete(sessionId);
    expect(await home()).toMatchObject({ incomplete: false, done: [{ title: "Deleted", costCents: null }] });
  });

  it("is empty for somebody new", async () => {
    expect(await openTeam().home()).toMatchObject({ running: [], waiting: [], done: [], files: [] });
  });

  it("ends when it is aborted", async () => {
    const { deps, team, begin } = openTeam();
    await begin("U1", "Works", "working");
    const reason = new Error("enough");
    await expect(homeOf(deps, { team, person: { id: "U1" } }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
