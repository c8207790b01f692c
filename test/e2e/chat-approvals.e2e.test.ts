import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, expect, it } from "vitest";
import { createOwnApprovalDesk } from "../../bots/shared/approval-desk.ts";
import type { ChatThreadKey } from "../../bots/shared/chat-thread.ts";
import { deliverThread } from "../../bots/shared/deliver.ts";
import { interrupt } from "../../bots/shared/interrupt.ts";
import { openFileChatStore } from "../../bots/terminal/file-chat-store.ts";
import { MODEL } from "../../bench/names.ts";
import { createChatService } from "../fakes/chat-surface.ts";
import { calls, says } from "../fakes/messages-answer.ts";
import { SILENT } from "../support/silent-log.ts";
import { sendText } from "./support/conversation.ts";
import { createTestHome, type TestHome } from "./support/test-home.ts";

const { signal } = new AbortController();
const thread: ChatThreadKey = "slack:T1:C1:1.0";
const tools = [
  {
    type: "agent_toolset_20260401" as const,
    configs: [{ name: "bash" as const, permission_policy: { type: "always_ask" as const } }],
  },
];

let home: TestHome;
afterEach(() => home.close());

/** A chat thread whose agent asks before each command, with everything behind it real. */
async function askingThread() {
  home = await createTestHome();
  const { url } = await home.up(null, "0");
  const client = new Anthropic({ baseURL: url ?? "", apiKey: home.apiKey });
  const agent = await client.beta.agents.create({ name: "asks first", model: MODEL, tools });
  const environment = await client.beta.environments.create({ name: "any" });
  const session = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id });
  const store = await openFileChatStore(path.join(home.home, "thread.json"));
  await store.threads.open(thread);
  await store.threads.reserveSession(thread, "test", 60_000);
  await store.threads.bindSession(thread, "test", session.id);
  const service = createChatService();
  const surface = service.surface({ drafts: "stream" });
  const ensureDelivery = async () => undefined;
  const desk = createOwnApprovalDesk({ client, sessions: { current: async () => session.id }, store, ensureDelivery });
  return {
    service,
    desk,
    say: (text: string) => sendText(client, session.id, text),
    stop: () => interrupt({ client, store, ensureDelivery }, thread, session.id, signal),
    deliver: () => deliverThread({ client, surface, store, log: SILENT }, thread, signal),
  };
}

it("a chat thread asks, waits, goes on in the same turn as people decide, and asks no more once it is stopped", async () => {
  const { service, desk, say, stop, deliver } = await askingThread();
  const run = (line: string) => ({ name: "bash", input: { command: `echo ${line}` } });
  home.model.play("tidy up", calls(run("a"), run("b")), says("It is tidy."));
  home.model.play("once more", calls(run("c")), says("Never said."));
  const decide = async (decision: "allow" | "deny") => {
    const [toolUseId = ""] = await desk.open(thread, signal);
    const vote = { toolUseId, decision, personId: null, reason: decision === "deny" ? "not that" : null };
    expect(await desk.decide(thread, vote, signal)).toBe("decided");
  };
  const states = () => service.approvals().map(({ state }) => state.type);

  await say("tidy up");
  await deliver();
  expect(service.approvals().map(({ detail }) => detail)).toEqual(["echo a", "echo b"]);
  expect(service.statuses()).toMatchObject([{ state: "waiting" }]);

  await decide("deny");
  await deliver();
  expect(states()).toEqual(["decided", "open"]);
  expect(service.words()).toEqual([]);

  await decide("allow");
  await deliver();
  expect(states()).toEqual(["decided", "decided"]);
  expect(service.words()).toEqual(["It is tidy."]);
  // What it cost is next to nothing, so nothing is said of it.
  expect(service.statuses()).toMatchObject([{ state: "done", tokens: expect.any(Number), costCents: null }]);

  await say("once more");
  await deliver();
  expect(await stop()).toBe(true);
  await deliver();
  expect(states()).toEqual(["decided", "decided", "moot"]);
  expect(service.statuses()).toMatchObject([{ state: "done" }, { state: "stopped" }]);
  expect(service.words()).toEqual(["It is tidy."]);
  expect(service.posts.every(({ streaming }) => !streaming)).toBe(true);
});
