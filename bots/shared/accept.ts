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
  inbox: Pick<Inbox, "keep" | "bringFiles">;
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
  const isNew = await inbox.keep(thread, messageId, urgentFirst(item), receiptId);
  if (isNew || (await bringsFiles(inbox, arrival))) await hint(thread);
  return isNew;
}

/** Another delivery of a message tells which files it has, when the one that was kept could not. */
async function bringsFiles(inbox: AcceptDeps["inbox"], { thread, messageId, item }: Arrival): Promise<boolean> {
  if (item.type !== "message" || item.filesMayFollow === true) return false;
  return inbox.bringFiles(thread, messageId, item.attachments);
}

/** Pure: a stop in words is kept as one, so that it does not wait behind the messages it is about. */
function urgentFirst(item: InboundItem): InboundItem {
  if (item.type !== "message" || item.attachments.length > 0 || parseCommand(item.text)?.type !== "stop") return item;
  return { type: "stop", personId: item.personId, addressed: item.addressed };
}
