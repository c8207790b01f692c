import { agentIn } from "./agent-permission.ts";
import type { EarlierWords } from "./earlier-messages.ts";
import { handOverLine } from "./hand-over-line.ts";
import { interrupt } from "./interrupt.ts";
import type { MessageWork } from "./message-work.ts";
import type { TakeInScope } from "./take-in-scope.ts";
import { tell } from "./tell.ts";

/** What a message became. */
export interface SentMessage {
  sessionId: string;
  eventId: string;
  words: string;
  others: boolean;
  earlier: EarlierWords | null;
}

/**
 * Settles a message that was sent, and has its answer delivered. May be called again.
 * @throws API and surface errors; errors of the stores
 */
export async function afterSending(
  scope: TakeInScope,
  work: MessageWork,
  { sessionId, eventId, words, others, earlier }: SentMessage,
): Promise<void> {
  const { thread, item, person, pending, reading, signal } = work;
  const { inbox, directory } = scope.records;
  const { messageId } = pending;
  // Before anything is delivered: an approval that is asked for with nobody known to have begun would be nobody's to decide.
  if (reading.requester === null) await noteBeginning(scope, work, sessionId, titleOf(work, words));
  await Promise.all([
    scope.store.deliveries.wake(thread),
    directory.told(thread, sessionId, { messageId: seenBy(work, earlier), others }),
  ]);
  if (item.handedOver === true) {
    await tell(scope, thread, `handed:${messageId}`, handOverLine(person.name, item.text), signal);
  }
  const counts = await inbox.settle(thread, messageId, eventId);
  // A stop that came while it was being sent could not hold it back any more.
  if (!counts) await interrupt(scope, thread, sessionId, signal);
  await scope.ensureDelivery(thread);
}

/** Pure: what the session of this message is called. */
export function titleOf({ item }: MessageWork, words: string): string {
  return words.trim() || item.attachments.map(({ filename }) => filename).join(", ") || "What was said before";
}

/** Pure: up to where the session knows the thread now. What is no message of the thread itself does not move that on. */
function seenBy({ item, pending, reading }: MessageWork, earlier: EarlierWords | null): string {
  if (item.reactTo !== null) return pending.messageId;
  return earlier?.messages.at(-1)?.messageId ?? reading.seenMessageId ?? pending.messageId;
}

async function noteBeginning(scope: TakeInScope, work: MessageWork, sessionId: string, title: string): Promise<void> {
  const { thread, place, policy, person, item } = work;
  const { audit, directory } = scope.records;
  const detail = { title, agent_id: agentIn(policy, item.agentId) };
  // Before it is noted: once too often in the audit is better than never.
  await audit.record({ action: "session_started", place, thread, sessionId, person, detail });
  await directory.began(thread, { place, requester: person.id, title });
}
