import { APIError } from "@anthropic-ai/sdk";
import { RetryableError } from "../../src/errors.ts";
import { acknowledge } from "./acknowledge.ts";
import { afterSending, titleOf } from "./after-sending.ts";
import { mayUseAgent } from "./agent-permission.ts";
import { budgetRefusal } from "./budget.ts";
import type { Approval } from "./chat-records.ts";
import { parseCommand } from "./commands.ts";
import { composeMessage } from "./compose-message.ts";
import { earlierMessages, type EarlierWords } from "./earlier-messages.ts";
import { tellHeld } from "./held-message.ts";
import type { MessageWork } from "./message-work.ts";
import { notice } from "./render.ts";
import { findSent, sendMessage } from "./send-message.ts";
import { isOver } from "./session-over.ts";
import { planSession } from "./session-plan.ts";
import type { TakeInScope } from "./take-in-scope.ts";
import { tell, tryToTell } from "./tell.ts";
import type { MissingFile } from "./user-message.ts";
import { vaultsRefused } from "./vaults-refused.ts";

/** From this attempt on, what the surface can't give is done without. */
const LAST_TRY = 3;
const OTHER_AGENT =
  "The agent that you picked can't be used here: the channel's agent is set by an operator. It does the work instead.";

/**
 * Brings a message to the session of its thread, or does the command that it is, and settles it. May be called again after
 * a failure or a crash at any point: nothing is sent twice.
 * @throws API and surface errors; ClaimLostError when the message was dropped before it was sent
 */
export async function takeInMessage(scope: TakeInScope, work: MessageWork): Promise<void> {
  const { thread, pending, signal } = work;
  const waitsFor = await approvalsOf(scope, work);
  // A "yes" that was kept before anything was asked is an answer to something else.
  const askedThen = waitsFor.length > 0 ? await approvalsOf(scope, work, pending.messageId) : [];
  const words = await wordsFor(scope, work, askedThen.length > 0);
  if (words === null) return settleAsNothing(scope, work);
  try {
    if (await wasSent(scope, work, words)) return;
    if (waitsFor.length === 0 && (await refusedForBudget(scope, work))) return;
    await send(scope, work, words, waitsFor);
  } catch (error) {
    const { sessionId } = await scope.records.directory.reading(thread);
    if (sessionId === null || !(await isOver(scope.client, sessionId, error, signal))) throw error;
    await scope.sessions.detach(thread, sessionId);
    scope.log.info({ chat_thread_key: thread, session_id: sessionId, attempts: pending.attempts }, "session is over");
    throw new RetryableError("The session is over. The thread gets a new one.", { cause: error });
  }
}

/** What the session waits for. One that the thread has left may have open ones still, until their time is over. */
async function approvalsOf(
  { records }: TakeInScope,
  { thread, reading }: MessageWork,
  heard?: string,
): Promise<Approval[]> {
  if (reading.sessionId === null) return [];
  const open = await records.approvals.open(thread, heard);
  return open.filter(({ sessionId }) => sessionId === reading.sessionId);
}

/** What is to be said to the session; null when it was a command, which is answered by then. */
async function wordsFor(scope: TakeInScope, work: MessageWork, approvalOpen: boolean): Promise<string | null> {
  const { thread, item, pending, person } = work;
  if (item.attachments.length > 0) return item.text;
  const command = parseCommand(item.text, { approvalOpen });
  if (!command) return item.text;
  const { messageId } = pending;
  return scope.runCommand({ thread, messageId, command, personId: person.id }, work.claim.signal);
}

/** Brings an attempt to its end that died after it had sent the message. */
async function wasSent(scope: TakeInScope, work: MessageWork, words: string): Promise<boolean> {
  const { thread, pending, reading, claim } = work;
  if (pending.attempts === 0 || reading.sessionId === null) return false;
  const { sessionId } = reading;
  const eventId = await findSent(scope, { thread, sessionId, words }, claim.signal);
  if (eventId !== null) await afterSending(scope, work, { sessionId, eventId, words, others: false, earlier: null });
  return eventId !== null;
}

/** Only for what would begin a turn: work that runs, or waits for people, may be steered. */
async function refusedForBudget(scope: TakeInScope, work: MessageWork): Promise<boolean> {
  const { thread, place, policy, pending, reading, signal } = work;
  const refusal = reading.busy ? null : await budgetRefusal(scope.records.spend, policy, place, new Date());
  if (refusal === null) return false;
  // Once for a message and the files that came after it.
  const asked = pending.item.type === "files" ? pending.item.of : pending.messageId;
  await tell(scope, thread, `budget:${asked}`, notice("warning", refusal), signal);
  await settleAsNothing(scope, work);
  return true;
}

async function send(
  scope: TakeInScope,
  work: MessageWork,
  words: string,
  waitsFor: readonly Approval[],
): Promise<void> {
  const { thread, item, pending, policy, reading, claim, signal } = work;
  const asked = waitsFor.at(-1);
  if (item.reactTo !== null) {
    work.aside(acknowledge(scope, thread, item.reactTo, reading.busy || asked ? "queued" : "started", signal));
  }
  const unread = readEarlier(scope, work);
  if (words.trim() === "" && item.attachments.length === 0 && !(await unread)?.messages.length) {
    return askWhatFor(scope, work);
  }
  const [earlier, sessionId] = await Promise.all([
    unread,
    reading.sessionId ?? makeSession(scope, work, titleOf(work, words)),
  ]);
  const others = severalTalk(work, earlier);
  const { text, missing } = await composeMessage(
    scope,
    {
      thread,
      sessionId,
      words,
      author: others || reading.severalPeople ? work.person.name : null,
      attachments: item.attachments,
      earlier,
      lastTry: pending.attempts >= LAST_TRY,
    },
    claim.signal,
  );
  await claim.confirm();
  const eventId = await sendMessage(scope.client, sessionId, text, signal);
  if (asked) work.aside(tellHeld(scope, thread, { asked, policy }, signal));
  if (missing.length > 0) {
    const told = notice("warning", missingText(missing));
    work.aside(tryToTell(scope, thread, `missing:${pending.messageId}`, told, signal));
  }
  await afterSending(scope, work, { sessionId, eventId, words, others, earlier });
}

/** Null where the session was told everything that was said. */
async function readEarlier(scope: TakeInScope, work: MessageWork): Promise<EarlierWords | null> {
  const { thread, pending, policy, reading, claim } = work;
  const since = reading.seenMessageId;
  if (since !== null && policy.mode !== "mention_only") return null;
  const lastTry = pending.attempts >= LAST_TRY;
  return earlierMessages(scope.source, { thread, before: pending.messageId, since, lastTry }, claim.signal);
}

async function makeSession(scope: TakeInScope, work: MessageWork, title: string): Promise<string> {
  const { thread, policy, person, item, pending, claim, signal } = work;
  const origin = { thread, policy, person, agentId: item.agentId, title };
  try {
    if (item.agentId !== null && !mayUseAgent(policy, item.agentId, (await scope.defaultAgent.get()).agentId)) {
      work.aside(tryToTell(scope, thread, `agent:${pending.messageId}`, notice("warning", OTHER_AGENT), signal));
    }
    return await scope.sessions.ensure(thread, await planSession(scope, origin, claim.signal), claim.signal);
  } catch (error) {
    // The agent or the environment may have been archived since they were looked up.
    if (error instanceof APIError && (error.status === 400 || error.status === 404)) scope.defaultAgent.forget();
    throw vaultsRefused(error) ?? error;
  }
}

/** Pure: whether the agent hears from somebody else than whoever began the session. */
function severalTalk({ reading, person }: MessageWork, earlier: EarlierWords | null): boolean {
  if (reading.requester !== null && reading.requester !== person.id) return true;
  return earlier?.messages.some(({ byAgent, author }) => !byAgent && author !== person.name) ?? false;
}

/** Somebody called and said nothing. */
async function askWhatFor(scope: TakeInScope, work: MessageWork): Promise<void> {
  const { thread, pending, person, signal } = work;
  const { messageId } = pending;
  await scope.runCommand({ thread, messageId, command: { type: "help" }, personId: person.id }, signal);
  await settleAsNothing(scope, work);
}

async function settleAsNothing(scope: TakeInScope, { thread, pending }: MessageWork): Promise<void> {
  await scope.records.inbox.settle(thread, pending.messageId, null);
}

/** Pure. */
function missingText(missing: readonly MissingFile[]): string {
  const files = missing.map(({ filename, reason }) => `- ${filename}: ${reason}`);
  return `I go on without ${missing.length === 1 ? "this file" : "these files"}:\n${files.join("\n")}`;
}
