import { agentsText, listAgents, unclearAgentText } from "./agent-choice.ts";
import { findUsableAgent, mayUseAgent } from "./agent-permission.ts";
import { decideAll } from "./approval-command.ts";
import type { ApprovalDesk } from "./approval-desk.ts";
import { placeOf } from "./chat-place.ts";
import type { ChatRecords } from "./chat-records.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { threadHelp, unknownCommandText } from "./command-help.ts";
import type { ChatCommand } from "./commands.ts";
import { interrupt, type InterruptDeps } from "./interrupt.ts";
import { leaveSession } from "./leave-session.ts";
import { postOnce } from "./post-once.ts";
import { notice, type Notice } from "./render.ts";
import { statusReport, statusText } from "./status-report.ts";
import { switchAgent, threadAgent, type SwitchDeps } from "./switch-agent.ts";
import { usageReport, usageText } from "./usage-report.ts";

export interface CommandDeps extends InterruptDeps, Omit<SwitchDeps, "records"> {
  surface: ChatSurface;
  store: ChatStore;
  /** Missing in a terminal, where there are no places, and so no agents to choose for them and no spending to count. */
  records?: Pick<ChatRecords, "directory" | "policies" | "spend">;
  /** Missing where nobody can be asked. */
  approvals?: ApprovalDesk;
}

export interface CommandCall {
  thread: ChatThreadKey;
  messageId: string;
  command: ChatCommand;
  /** Who gave it, by the surface's id; null for the owner of a terminal. */
  personId: string | null;
}

/**
 * Does what a command says and answers it in the thread, once however often it is called for the same message.
 * @returns the words that the caller has to send to the session in place of the message, for `steer` and for what only looked like a
 * command; null otherwise
 * @throws API errors, after which it may be called again; the signal's reason
 */
export async function runCommand(deps: CommandDeps, call: CommandCall, signal: AbortSignal): Promise<string | null> {
  if (call.command.type === "steer" && call.command.text !== "") return call.command.text;
  const { surface, store } = deps;
  // The thread's record, which the post needs, is missing where nobody has spoken yet.
  await store.threads.open(call.thread);
  const reply = await replyTo(deps, call, signal);
  if (reply === null || typeof reply === "string") return reply;
  const once = { surface, deliveries: store.deliveries, thread: call.thread, signal };
  await postOnce(once, `reply:${call.messageId}`, (marker) => surface.post(call.thread, reply, marker, signal));
  return null;
}

/** Words are for the session: it was no command after all. */
async function replyTo(deps: CommandDeps, call: CommandCall, signal: AbortSignal): Promise<Notice | string | null> {
  const { command, thread } = call;
  switch (command.type) {
    case "help":
      return notice("info", threadHelp(deps.records ? [] : ["use", "usage"]));
    case "unknown": {
      const text = unknownCommandText(command.name, command.nearest, "/");
      return notice("warning", `${text} \`help\` lists what there is.`);
    }
    case "steer":
      return notice("info", "Say what I should know: `steer <text>`, or just write it.");
    case "status":
      return status(deps, thread, signal);
    case "stop":
      return stop(deps, thread, signal);
    case "new":
      return startAfresh(deps, thread, signal);
    case "agents":
      return agents(deps, thread, signal);
    case "use":
      return use(deps, thread, command, signal);
    case "usage":
      return usage(deps, call);
    case "approve":
      return decideAll(deps.approvals, { ...call, decision: "allow", reason: null }, signal);
    case "deny":
      return decideAll(deps.approvals, { ...call, decision: "deny", reason: command.reason }, signal);
  }
}

async function status(deps: CommandDeps, thread: ChatThreadKey, signal: AbortSignal): Promise<Notice> {
  const sessionId = await deps.sessions.current(thread);
  if (sessionId === null) {
    return notice("info", "Nothing is running: this thread has no session yet. Write what you need.");
  }
  return notice("info", statusText(await statusReport(deps.client, sessionId, signal)));
}

/** The status message then says that the turn was stopped, so nothing else need be said. */
async function stop(deps: CommandDeps, thread: ChatThreadKey, signal: AbortSignal): Promise<Notice | null> {
  const sessionId = await deps.sessions.current(thread);
  if (sessionId !== null && (await interrupt(deps, thread, sessionId, signal))) return null;
  return notice("info", "Nothing is running.");
}

async function startAfresh(deps: CommandDeps, thread: ChatThreadKey, signal: AbortSignal): Promise<Notice> {
  const sessionId = await deps.sessions.current(thread);
  if (sessionId === null) return notice("info", "This thread is fresh already. Write what you need.");
  await interrupt(deps, thread, sessionId, signal);
  await leaveSession(deps, thread, sessionId, signal);
  return notice("info", "A fresh start: your next message begins a new session.");
}

async function agents(deps: CommandDeps, thread: ChatThreadKey, signal: AbortSignal): Promise<Notice> {
  const { client, defaultAgentId = null, records } = deps;
  const [all, inUse] = await Promise.all([
    listAgents(client, defaultAgentId, signal),
    threadAgent(deps, thread, signal),
  ]);
  const place = placeOf(thread);
  const policy = records && place !== null ? await records.policies.of(place) : null;
  const usable = policy ? all.filter(({ id }) => id === inUse || mayUseAgent(policy, id, defaultAgentId)) : all;
  const how = policy ? "\n\n`use agent <name>` gives this thread to another one." : "";
  return notice("info", agentsText(usable, inUse) + how);
}

async function use(
  deps: CommandDeps,
  thread: ChatThreadKey,
  { agent: wanted, sentence }: Extract<ChatCommand, { type: "use" }>,
  signal: AbortSignal,
): Promise<Notice | string> {
  const { records } = deps;
  if (!records) return sentence ?? notice("warning", "The agent of this thread can't be changed from here.");
  if (wanted === "") return agents(deps, thread, signal);
  const { client, defaultAgentId = null } = deps;
  const place = placeOf(thread);
  const [all, policy] = await Promise.all([
    listAgents(client, defaultAgentId, signal),
    place && records.policies.of(place),
  ]);
  const match = findUsableAgent(all, wanted, policy, defaultAgentId);
  if (match.type === "none" && sentence !== null) return sentence;
  if (match.type === "refused") return match.refusal;
  if (match.type !== "one") return notice("warning", unclearAgentText(wanted, match));
  return switchAgent({ ...deps, records }, thread, match.agent, signal);
}

async function usage({ records }: CommandDeps, { thread, personId }: CommandCall): Promise<Notice> {
  const place = placeOf(thread);
  if (!records || place === null)
    return notice("info", "Usage is not counted here. `status` says what this session took.");
  return notice("info", usageText(await usageReport(records, place, personId)));
}
