import type { Inbox } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { parseCommand } from "./commands.ts";
import type { InboundItem } from "./inbound-item.ts";

/** What a surface heard. It has verified that it is from whom it says. */
export interface Arrival {
  thread: ChatThreadKey;
  /** Unique within the thread, and the same when it is delivered again. */
  messageId: string;
  item: InboundItem;
  /** Of the delivery, such as Slack's `event_id`; null where deliveries have none. */
  receiptId: string | null;
}

export interface AcceptDeps {
  inbox: Pick<Inbox, "keep">;
  /** Tells whoever takes things in. Never rejects, and takes no longer than a surface may wait for its answer. */
  hint(thread: ChatThreadKey): Promise<void>;
}

/**
 * Keeps what a surface heard, to be dealt with by `takeInThread`: one statement and one job, whatever state the platform is
 * in. When it resolves, the surface may be told that it arrived; when it rejects, it must not be.
 * @returns false when it was kept before
 */
export async function accept({ inbox, hint }: AcceptDeps, arrival: Arrival): Promise<boolean> {
  const { thread, messageId, item, receiptId } = arrival;
  if (!(await inbox.keep(thread, messageId, urgentFirst(item), receiptId))) return false;
  await hint(thread);
  return true;
}

/** Pure: a stop in words is kept as one, so that it does not wait behind the messages it is about. */
function urgentFirst(item: InboundItem): InboundItem {
  if (item.type !== "message" || item.attachments.length > 0 || parseCommand(item.text)?.type !== "stop") return item;
  return { type: "stop", personId: item.personId, addressed: item.addressed };
}
