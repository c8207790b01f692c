import type { ChannelPolicy } from "./channel-policy.ts";
import type { ChatPlaceKey } from "./chat-place.ts";
import type { PendingItem, Reading } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { HeldClaim } from "./claim.ts";
import type { InboundItem } from "./inbound-item.ts";
import type { Person } from "./person.ts";

/** A message of somebody who may write here. */
export interface MessageWork {
  thread: ChatThreadKey;
  place: ChatPlaceKey;
  pending: PendingItem;
  item: Extract<InboundItem, { type: "message" }>;
  policy: ChannelPolicy;
  reading: Reading;
  person: Person;
  claim: HeldClaim;
  /** Outlives the claim: what the session was told is noted. */
  signal: AbortSignal;
  /** Takes work that nobody waits for and that never rejects. */
  aside(work: Promise<void>): void;
}
