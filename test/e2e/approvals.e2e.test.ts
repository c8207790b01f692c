import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { MODEL } from "../../bench/names.ts";
import { bash, calls, says } from "../fakes/messages-answer.ts";
import { tiny } from "../fixtures/csv/tables.ts";
import { converse, sendText, type StreamedEvent, toolResults } from "./support/conversation.ts";
import { createTestHome, type TestHome } from "./support/test-home.ts";

const tools = [
  {
    type: "agent_toolset_20260401" as const,
    configs: [{ name: "bash" as const, permission_policy: { type: "always_ask" as const } }],
  },
];
type Confirmation = Omit<Anthropic.Beta.Sessions.BetaManagedAgentsUserToolConfirmationEventParams, "type">;

let home: TestHome;
afterEach(() => home.close());

/** Opens the stream first, then acts, and returns what is shown until the session is idle. */
async function untilIdle(client: Anthropic, sessionId: string, act: () => Promise<unknown>): Promise<StreamedEvent[]> {
  const stream = await client.beta.sessions.events.stream(sessionId);
  await act();
  const events: StreamedEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (event.type === "session.status_idle") break;
  }
  return events;
}

const confirm = (client: Anthropic, sessionId: string, ...confirmations: Confirmation[]) =>
  client.beta.sessions.events.send(sessionId, {
    events: confirmations.map((params) => ({ type: "user.tool_confirmation" as const, ...params })),
  });

/** The calls that the session says it waits for; none when its turn is over. */
function awaited(events: readonly StreamedEvent[]): string[] {
  const last = events.at(-1);
  if (last?.type !== "session.status_idle") throw new Error(`The session is not idle but at ${last?.type}.`);
  return last.stop_reason.type === "requires_action" ? last.stop_reason.event_ids : [];
}

async function newAskingSession(client: Anthropic, model: string): Promise<string> {
  const agent = await client.beta.agents.create({ name: "asks first", model, tools });
  const environment = await client.beta.environments.create({ name: "any" });
  return (await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id })).id;
}

describe("calls that a person must approve, through the official SDK", () => {
  it("wait through a SIGKILL of everything, then run once, are refused with a reason, or end with an interrupt", async () => {
    home = await createTestHome();
    const deckhand = await home.up(null, "0");
    const client = new Anthropic({ baseURL: deckhand.url ?? "", apiKey: home.apiKey });
    const sessionId = await newAskingSession(client, MODEL);
    const append = (line: string) => ({ name: "bash", input: { command: `echo ${line} >> kept.txt; cat kept.txt` } });
    home.model.play("tidy up", calls(append("a"), append("b"), append("c")), bash("cat kept.txt"), says("Tidy."));
    const asked = awaited(await converse(client, sessionId, "tidy up"));
    expect(asked).toHaveLength(3);
    const [a = "", b = "", c = ""] = asked;

    await deckhand.process.kill("SIGKILL");
    await home.up(null, new URL(client.baseURL).port);
    expect((await client.beta.sessions.retrieve(sessionId)).status).toBe("idle");
    const partly = await untilIdle(client, sessionId, () =>
      confirm(client, sessionId, { tool_use_id: b, result: "deny", deny_message: "Not b." }),
    );
    expect(awaited(partly)).toEqual([a, c]);
    await expect(confirm(client, sessionId, { tool_use_id: b, result: "allow" })).rejects.toBeInstanceOf(
      Anthropic.BadRequestError,
    );
    const resolved = await untilIdle(client, sessionId, () =>
      confirm(client, sessionId, { tool_use_id: a, result: "allow" }, { tool_use_id: c, result: "allow" }),
    );
    expect(toolResults(resolved)).toEqual([
      { text: expect.stringContaining("Not b."), is_error: true },
      { text: "a\n", is_error: false },
      { text: "a\nc\n", is_error: false },
    ]);
    expect(awaited(resolved)).toHaveLength(1);

    const stopped = await untilIdle(client, sessionId, () =>
      client.beta.sessions.events.send(sessionId, { events: [{ type: "user.interrupt" }] }),
    );
    expect(stopped.at(-1)).toMatchObject({ stop_reason: { type: "end_turn" } });
    expect(toolResults(stopped)).toEqual([{ text: expect.stringContaining("interrupted"), is_error: true }]);
    home.model.play("still there?", says("Yes."));
    expect(awaited(await converse(client, sessionId, "still there?"))).toEqual([]);
  });

  it("one after the other, take the scripted model through a whole board deck", async () => {
    home = await createTestHome({ ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "" });
    const { url } = await home.up(null, "0");
    const client = new Anthropic({ baseURL: url ?? "", apiKey: home.apiKey });
    const table = await client.beta.files.upload({ file: await toFile(Buffer.from(tiny()), "sales.csv") });
    const sessionId = await newAskingSession(client, "deckhand-scripted");
    const mount_path = "/mnt/session/uploads/sales.csv";
    await client.beta.sessions.resources.add(sessionId, { type: "file", file_id: table.id, mount_path });
    let events = await untilIdle(client, sessionId, () => sendText(client, sessionId, `Make a deck of ${mount_path}`));
    let approvals = 0;
    for (let asked = awaited(events); asked.length > 0; asked = awaited(events)) {
      const allowed = asked.map((tool_use_id) => ({ tool_use_id, result: "allow" as const }));
      events = await untilIdle(client, sessionId, () => confirm(client, sessionId, ...allowed));
      approvals += asked.length;
    }
    expect(approvals).toBeGreaterThan(1);
    expect(events.at(-1)).toMatchObject({ stop_reason: { type: "end_turn" } });
    const files = await client.beta.files.list({ scope_id: sessionId });
    const names = files.data.map(({ filename }) => filename);
    expect(names).toEqual(expect.arrayContaining(["report.xlsx", "deck.pptx"]));
  });
});
