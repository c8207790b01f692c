import type { ChatPlaceKey } from "./chat-place.ts";
import type { PendingItem, Reading } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { InboundItem } from "./inbound-item.ts";
import { interrupt } from "./interrupt.ts";
import type { Person } from "./person.ts";
import { notice } from "./render.ts";
import type { TakeInScope } from "./take-in-scope.ts";
import { tell } from "./tell.ts";

export interface StopWork {
  thread: ChatThreadKey;
  place: ChatPlaceKey;
  pending: PendingItem;
  item: Extract<InboundItem, { type: "stop" }>;
  reading: Reading;
  person: Person;
  signal: AbortSignal;
}

/**
 * Ends what runs and drops what was kept before the stop, a message that is being taken in too. May be called again.
 * @throws API and surface errors
 */
export async function takeInStop(scope: TakeInScope, work: StopWork): Promise<void> {
  const { thread, place, pending, item, person, signal } = work;
  const { inbox, audit } = scope.records;
  const dropped = await inbox.dropMessages(thread, pending.messageId);
  // Read after the drop: a message that was on its way may have made a session meanwhile.
  const { sessionId } = await scope.records.directory.reading(thread);
  const stopped = sessionId !== null && (await interrupt(scope, thread, sessionId, signal));
  if (stopped || dropped > 0) {
    const detail = { running: stopped, dropped };
    await audit.record({ action: "interrupted", place, thread, sessionId, person, detail });
  }
  if (!stopped) {
    const words = replyText(dropped, item.addressed === true);
    if (words !== null) await tell(scope, thread, `reply:${pending.messageId}`, notice("info", words), signal);
  }
  await inbox.settle(thread, pending.messageId, null);
}

/** Pure: where something ran, its status says that it was stopped. */
function replyText(dropped: number, asked: boolean): string | null {
  if (dropped > 1) return `Stopped before it began: ${dropped} messages that waited are dropped.`;
  if (dropped === 1) return "Stopped before it began.";
  return asked ? "Nothing is running." : null;
}
