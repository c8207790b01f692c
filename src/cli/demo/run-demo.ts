import { randomBytes } from "node:crypto";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Anthropic } from "@anthropic-ai/sdk";
import { findChatAgent } from "../../../bots/shared/default-agent.ts";
import { notice } from "../../../bots/shared/render.ts";
import { openTerminalThread, type TerminalThread } from "../../../bots/terminal/terminal-thread.ts";
import type { ClosableView } from "../../../bots/terminal/views.ts";
import type { Config } from "../../config.ts";
import { messageOf } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { SCRIPTED_MODEL_ID } from "../../models/scripted.ts";
import type { Connection } from "../connection.ts";
import type { DemoResult } from "./summary.ts";
import { startTurnMeter } from "./turn-meter.ts";

export interface Demo {
  connection: Connection;
  config: Config;
  view: ClosableView;
  /** Absolute. */
  data: string;
  /** Absolute; files are saved here. */
  out: string;
  log: Logger;
  signal: AbortSignal;
}

/** All that the agent is told, whatever model it runs on. */
const REQUEST =
  "Clean the attached data and make me a workbook, report.xlsx, with the analysis, and a short deck, deck.pptx, that I can show the board.";
const END_TIMEOUT_MS = 10_000;
const END_POLL_MS = 50;
const WANTED = ["report.xlsx", "deck.pptx"];
const SCRIPTED_NOTE =
  "No ANTHROPIC_API_KEY is set, so a fixed script plays the model. Everything else is real: the session, the sandbox, and every number, which is computed from the data.";

/**
 * Asks for a workbook and a deck in a terminal thread, as a person would.
 * @throws when one of the two did not come back; what did is in the folder all the same
 */
export async function runDemo(demo: Demo): Promise<{ result: DemoResult; tokens: number }> {
  const { connection, config, view, log } = demo;
  const { client } = connection;
  const ended = new AbortController();
  const signal = AbortSignal.any([demo.signal, ended.signal]);
  const agent = await findChatAgent({ client, model: config.defaultModel, agentId: null }, signal);
  if (agent.model === SCRIPTED_MODEL_ID) view.message(notice("warning", SCRIPTED_NOTE));

  const thread = await openTerminalThread({
    client,
    agent,
    threadId: `demo-${randomBytes(4).toString("hex")}`,
    directory: path.join(config.home, "terminal"),
    view,
    folder: demo.out,
    savePreviews: true,
    log,
    signal,
  });
  let sessionId: string | null = null;
  try {
    sessionId = await thread.session("Demo: workbook and board deck");
    return await askFor({ ...demo, signal }, thread, sessionId, agent.model);
  } finally {
    if (sessionId !== null) await endSession(client, sessionId, log);
    ended.abort();
    await thread.close();
  }
}

async function askFor(
  { connection, view, data, out, signal }: Demo,
  thread: TerminalThread,
  sessionId: string,
  model: string,
) {
  const meter = await startTurnMeter(connection.client, sessionId, signal);
  view.said(REQUEST, [data]);
  const taken = await thread.say(REQUEST, [data]);
  if (taken.type !== "sent") throw new Error("The request was not taken as a message.");
  if (!(await thread.delivered())) throw new Error("The result could not be delivered.");
  const total = Date.now() - taken.sentAt;
  meter.stop();

  const files = thread.transcript.entries.flatMap((entry) =>
    entry.type === "saved" && !entry.fileId.endsWith(".preview")
      ? [{ name: path.basename(entry.path), bytes: entry.bytes }]
      : [],
  );
  for (const wanted of WANTED) {
    const stem = path.parse(wanted);
    const came = files.some(({ name }) => name.startsWith(stem.name) && name.endsWith(stem.ext));
    if (!came) throw new Error(`No ${wanted} came back. What the agent answered is above; its files are in ${out}.`);
  }
  const since = (at: number | null) => (at === null ? total : Math.max(0, at - taken.sentAt));
  const result: DemoResult = {
    session_id: sessionId,
    model,
    sandbox: { driver: "docker", image: connection.sandboxImage },
    files,
    events: meter.events,
    ms: { first_event: since(meter.firstEventAt), first_token: since(meter.firstTokenAt), total },
  };
  return { result, tokens: meter.tokens };
}

/** Ends the session, and with it its sandbox. What it made stays in the folder. */
async function endSession(client: Anthropic, sessionId: string, log: Logger): Promise<void> {
  try {
    if (!(await isIdle(client, sessionId))) {
      await client.beta.sessions.events.send(sessionId, { events: [{ type: "user.interrupt" }] });
      const deadline = Date.now() + END_TIMEOUT_MS;
      while (!(await isIdle(client, sessionId)) && Date.now() < deadline) await sleep(END_POLL_MS);
    }
    await client.beta.sessions.archive(sessionId);
  } catch (error) {
    log.error({ session_id: sessionId, error: messageOf(error) }, "demo session could not be ended");
  }
}

async function isIdle(client: Anthropic, sessionId: string): Promise<boolean> {
  return (await client.beta.sessions.retrieve(sessionId)).status === "idle";
}
