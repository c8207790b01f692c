import { TerminalError } from "../../src/errors.ts";
import { denialOf, denialText } from "./admission.ts";
import type { ChannelPolicy } from "./channel-policy.ts";
import { placeOf, type ChatPlaceKey } from "./chat-place.ts";
import type { PendingItem, Reading } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { HeldClaim } from "./claim.ts";
import type { Person } from "./person.ts";
import { lateFilesMessage } from "./late-files.ts";
import { notice } from "./render.ts";
import { takeInMessage } from "./take-in-message.ts";
import type { TakeInScope } from "./take-in-scope.ts";
import { takeInStop } from "./take-in-stop.ts";
import { tell } from "./tell.ts";

/** One attempt at an item. */
export interface Attempt {
  thread: ChatThreadKey;
  pending: PendingItem;
  claim: HeldClaim;
  /** Outlives the claim. */
  signal: AbortSignal;
  /** Takes work that nobody waits for and that never rejects. */
  aside(work: Promise<void>): void;
}

/**
 * Deals with what a person did, and settles it. May be called again after a failure or a crash at any point.
 * @throws API and surface errors, ClaimLostError, the signal's reason: the item is then not settled
 */
export async function takeInItem(scope: TakeInScope, attempt: Attempt): Promise<void> {
  const { thread, pending, claim } = attempt;
  const { item, messageId } = pending;
  const place = placeOf(thread);
  if (place === null) throw new TerminalError("A terminal keeps no inbox.");
  if (item.type === "decision") {
    const { toolUseId, decision, reason } = item;
    const person = await scope.source.person(thread, item.personId, claim.signal);
    await scope.decide({ thread, messageId, toolUseId, decision, reason, person }, claim.signal);
    await scope.records.inbox.settle(thread, messageId, null);
    return;
  }
  const asked = item.type === "files" ? await lateFilesMessage(scope, { thread, messageId, item }, claim.signal) : item;
  const heard = asked && (await hear(scope, attempt, place, asked));
  if (asked === null || heard === null) {
    await scope.records.inbox.settle(thread, messageId, null);
    return;
  }
  if (asked.type === "stop") await takeInStop(scope, { ...attempt, ...heard, place, item: asked });
  else await takeInMessage(scope, { ...attempt, ...heard, place, item: asked });
}

interface Heard {
  policy: ChannelPolicy;
  reading: Reading;
  person: Person;
}

/** Null for what is not for us, and for what the person may not ask, which they are told once. */
async function hear(
  scope: TakeInScope,
  { thread, pending, claim, signal }: Attempt,
  place: ChatPlaceKey,
  item: { personId: string; addressed?: boolean | undefined },
): Promise<Heard | null> {
  const { policies, directory, audit } = scope.records;
  const overheard = item.addressed === false;
  const ask = () => scope.source.person(thread, item.personId, claim.signal);
  // Of whom we only overhear, nobody is asked who it is before it matters.
  const [policy, reading, known] = await Promise.all([
    policies.of(place),
    directory.reading(thread),
    overheard ? null : ask(),
  ]);
  // Whoever says stop where the agent is at work means the agent, whatever else has to be said to it by name.
  const mustBeNamed = policy.mode === "mention_only" && pending.item.type !== "stop";
  if (overheard && (mustBeNamed || !(await isOurs(scope, thread, reading, pending.item)))) return null;

  const person = known ?? (await ask());
  const denial = await denialOf(scope.source, policy, place, person, claim.signal);
  if (denial === null) return { policy, reading, person };
  await tell(scope, thread, `denied:${person.id}`, notice("warning", denialText(denial, person)), signal);
  const detail = { reason: denial, asked: pending.item.type };
  await audit.record({ action: "request_denied", place, thread, sessionId: reading.sessionId, person, detail });
  return null;
}

/**
 * Whether the agent was called into this thread, also where its next session is yet to begin: after `new`, after `use`, and,
 * for a stop, when the call itself still waits.
 */
async function isOurs(
  { store, records }: TakeInScope,
  thread: ChatThreadKey,
  { sessionId }: Reading,
  { type }: PendingItem["item"],
): Promise<boolean> {
  if (sessionId !== null || (await records.directory.chosenAgent(thread)) !== null) return true;
  if (type === "stop" && (await records.inbox.awaits(thread))) return true;
  return (await store.threads.open(thread)).generation > 0;
}
