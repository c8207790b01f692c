import { messageOf, TerminalError } from "../../src/errors.ts";
import { denialOf, denialText } from "./admission.ts";
import { agentsText, listAgents, unclearAgentText } from "./agent-choice.ts";
import { findUsableAgent, mayUseAgent } from "./agent-permission.ts";
import { isTransient } from "./api-errors.ts";
import type { ChatPlaceKey } from "./chat-place.ts";
import type { ChatRecords, ThreadSummary } from "./chat-records.ts";
import type { ChatSource } from "./chat-source.ts";
import type { ChatStore } from "./chat-store.ts";
import { slashHelp, unknownCommandText } from "./command-help.ts";
import { parseSlash } from "./commands.ts";
import type { Person } from "./person.ts";
import { codeSpan } from "./plain-words.ts";
import { notice, type Notice } from "./render.ts";
import { switchAgent, type SwitchDeps } from "./switch-agent.ts";
import { actOnThread, type ActionDeps, type ThreadAction } from "./thread-action.ts";
import { threadLines, threadName, type ThreadLine } from "./thread-line.ts";
import { usageReport, usageText } from "./usage-report.ts";

export interface SlashDeps extends SwitchDeps, ActionDeps {
  store: Pick<ChatStore, "threads" | "deliveries">;
  source: Pick<ChatSource, "linkTo" | "person" | "inGroup">;
  records: Pick<ChatRecords, "directory" | "policies" | "spend">;
}

/** A command given beside any thread. The surface has verified who gave it. */
export interface SlashCall {
  /** The surface's own id of this call; the same when it is delivered again. */
  id: string;
  place: ChatPlaceKey;
  team: ChatPlaceKey;
  person: Pick<Person, "id" | "name">;
  /** What was written behind the command's name. */
  text: string;
}

/** What the caller alone is shown, in no surface's own format. */
export type SlashReply =
  | Notice
  | { type: "list"; sections: { title: string; threads: ThreadLine[] }[] }
  /** Asks which thread is meant; the choice goes to `runPicked`, with `action` and `text`. */
  | { type: "pick"; action: ThreadAction; text: string | null; markdown: string; threads: ThreadLine[] };

const PICK_MAX = 10;
const LIST_MAX = 15;
const HOW_TO_START = "Mention me in a message to give me work.";

/**
 * Does what a command says that was given beside any thread: to the caller's session that runs in that place, or in the one
 * that they pick. What it begins is kept for `accept` to deal with, so stopping and steering work while the platform is down.
 * @throws the signal's reason; errors of the stores
 */
export async function runSlash(deps: SlashDeps, call: SlashCall, signal: AbortSignal): Promise<SlashReply> {
  try {
    return await replyTo(deps, call, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isTransient(error)) throw error;
    deps.log.warn({ place: call.place, error: messageOf(error) }, "a slash command could not reach the API");
    return notice("error", "The server can't be reached right now. Please try again in a minute.");
  }
}

async function replyTo(deps: SlashDeps, call: SlashCall, signal: AbortSignal): Promise<SlashReply> {
  const command = parseSlash(call.text);
  switch (command.type) {
    case "help":
      return notice("info", slashHelp());
    case "unknown":
      return notice("warning", `${unknownCommandText(command.name, command.nearest, "")}\n\n${slashHelp()}`);
    case "status":
      return status(deps, call, signal);
    case "stop":
      return onRunning(deps, call, { action: "stop", text: null }, signal);
    case "steer":
      if (command.text === "") return notice("info", "Say what I should know: `steer <text>`.");
      return onRunning(deps, call, { action: "steer", text: command.text }, signal);
    case "new":
      return offerFreshStart(deps, call, signal);
    case "approve":
    case "deny":
      return pointToApprovals(deps, call, signal);
    case "agents":
      return (await denied(deps, call, signal)) ?? agents(deps, call, signal);
    case "use":
      return (
        (await denied(deps, call, signal)) ??
        (command.agent === "" ? agents(deps, call, signal) : use(deps, call, command.agent, signal))
      );
    case "usage":
      return (await denied(deps, call, signal)) ?? usage(deps, call);
  }
}

/** What somebody is told who may not give work here, and so may not know the place either. Null for all others. */
async function denied(
  { source, records }: SlashDeps,
  { place, person: { id } }: SlashCall,
  signal: AbortSignal,
): Promise<Notice | null> {
  try {
    const [policy, person] = await Promise.all([records.policies.of(place), source.person(place, id, signal)]);
    const denial = await denialOf(source, policy, place, person, signal);
    return denial && notice("warning", denialText(denial, person));
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return notice("warning", `I can't tell whether you may ask that here: ${error.message}`);
  }
}

/** What is theirs everybody may see; what else runs in the place, only those who may give work there. */
async function status(deps: SlashDeps, call: SlashCall, signal: AbortSignal): Promise<SlashReply> {
  const { place, team, person } = call;
  const { directory } = deps.records;
  const [denial, mine] = await Promise.all([
    denied(deps, call, signal),
    directory.list({ team, requester: person.id, running: true, limit: LIST_MAX }),
  ]);
  if (denial && mine.length === 0) return denial;
  const here = denial ? [] : await directory.list({ place, running: true, limit: LIST_MAX });
  const others = here.filter(({ thread }) => !mine.some((own) => own.thread === thread));
  if (mine.length + others.length === 0) return notice("info", `Nothing is running, for you or here. ${HOW_TO_START}`);
  const sections = [
    { title: "Yours", threads: await threadLines(deps, mine, signal) },
    { title: "Others here", threads: await threadLines(deps, others, signal) },
  ];
  return { type: "list", sections: sections.filter(({ threads }) => threads.length > 0) };
}

/** To the one session of the caller that runs here; asks which when there are several. */
async function onRunning(
  deps: SlashDeps,
  { id, place, team, person }: SlashCall,
  { action, text }: { action: "stop" | "steer"; text: string | null },
  signal: AbortSignal,
): Promise<SlashReply> {
  const running = await deps.records.directory.list({
    team,
    place,
    requester: person.id,
    running: true,
    limit: PICK_MAX,
  });
  const [only, another] = running;
  if (!only) return notice("info", `You have nothing running here. ${HOW_TO_START}`);
  if (!another) return actOnThread(deps, { id, action, text, person, summary: only }, signal);
  const markdown = action === "stop" ? "Which one should I stop?" : "Whom should I tell this?";
  return { type: "pick", action, text, markdown, threads: await threadLines(deps, running, signal) };
}

async function offerFreshStart(
  deps: SlashDeps,
  { place, team, person }: SlashCall,
  signal: AbortSignal,
): Promise<SlashReply> {
  const latest = await deps.records.directory.list({ team, place, requester: person.id, limit: 1 });
  if (latest.length === 0) return notice("info", `Every thread begins afresh. ${HOW_TO_START}`);
  const threads = await threadLines(deps, latest, signal);
  const markdown =
    "Mention me in a new message, and its thread begins afresh. Or start over in your latest thread here:";
  return { type: "pick", action: "new", text: null, markdown, threads };
}

/** Nobody decides on what they don't see: the request with its buttons is in the thread. */
async function pointToApprovals(
  deps: SlashDeps,
  { team, person }: SlashCall,
  signal: AbortSignal,
): Promise<SlashReply> {
  const running = await deps.records.directory.list({ team, requester: person.id, running: true, limit: LIST_MAX });
  const waiting = running.filter(({ state }) => state === "waiting");
  if (waiting.length === 0) return notice("info", "Nothing of yours waits for an approval.");
  const threads = await threadLines(deps, waiting, signal);
  return { type: "list", sections: [{ title: "Waiting for an approval, to be given in the thread", threads }] };
}

async function agents(deps: SlashDeps, { place }: SlashCall, signal: AbortSignal): Promise<SlashReply> {
  const { client, defaultAgentId = null, records } = deps;
  const [all, policy] = await Promise.all([listAgents(client, defaultAgentId, signal), records.policies.of(place)]);
  const how =
    "`use <agent>` gives your latest thread here to another one; write `use agent <name>` in any other thread.";
  const usable = all.filter(({ id }) => mayUseAgent(policy, id, defaultAgentId));
  return notice("info", `${agentsText(usable, policy.agentId ?? defaultAgentId)}\n\n${how}`);
}

async function use(deps: SlashDeps, call: SlashCall, wanted: string, signal: AbortSignal): Promise<SlashReply> {
  const { place, team, person } = call;
  const { client, defaultAgentId = null, records } = deps;
  const [all, policy] = await Promise.all([listAgents(client, defaultAgentId, signal), records.policies.of(place)]);
  const match = findUsableAgent(all, wanted, policy, defaultAgentId);
  if (match.type === "refused") return match.refusal;
  if (match.type !== "one") return notice("warning", unclearAgentText(wanted, match));
  const latest: ThreadSummary[] = await records.directory.list({ team, place, requester: person.id, limit: 1 });
  const [line] = await threadLines(deps, latest, signal);
  if (!line) {
    const how = "an operator sets it for all threads of a place with `deckhand channels set --agent`";
    return notice(
      "info",
      `You have no thread here yet. Write ${codeSpan(`use agent ${match.agent.name}`)} in a thread, or ${how}.`,
    );
  }
  const { level, markdown } = await switchAgent(deps, line.thread, match.agent, signal);
  return notice(level, `In ${threadName(line)}: ${markdown}`);
}

async function usage({ records }: SlashDeps, { place, person }: SlashCall): Promise<Notice> {
  return notice("info", usageText(await usageReport(records, place, person.id)));
}
