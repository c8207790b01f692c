import { TerminalError } from "../../src/errors.ts";
import type { TeamsRefusal, TeamsRefusedError } from "./teams-connector.ts";

/** Teams said no, in words for people. What Teams said itself is for decisions and the log. */
export class TeamsTerminalError extends TerminalError {
  override readonly name = "TeamsTerminalError";
  readonly refusal: TeamsRefusal;

  constructor(error: TeamsRefusedError) {
    super(wordsFor(error.refusal), { cause: error });
    this.refusal = error.refusal;
  }
}

/** Pure: nothing can be posted to the conversation until somebody writes there again. */
export function isUnreachable({ status, code, message }: TeamsRefusal): boolean {
  if (status !== 403 || isOfStream({ code })) return false;
  return UNREACHABLE.has(code ?? "") || /roster|blocked|disabled/i.test(`${code} ${message}`);
}

/** Pure: the message that was to be changed is there no more, or never was. */
export function isGone(refusal: TeamsRefusal): boolean {
  if (refusal.status === 404) return true;
  return refusal.status === 403 && !isUnreachable(refusal) && !isOfStream(refusal);
}

/** Why a stream shows no more. */
export type StreamRefusal =
  /** The person pressed Teams' own Stop. */
  | "cancelled"
  /** Two minutes are over. */
  | "time"
  | "size"
  /** What was shown before is not in it. */
  | "content"
  /** It has ended, another one is open, or this chat takes none. */
  | "state"
  /** Too fast; it goes on. */
  | "throttled";

/** Pure. The code is the same for all of them, so the message tells them apart; null for what is no refusal of a stream. */
export function streamRefusal({ status, code, message }: TeamsRefusal): StreamRefusal | null {
  if (status !== 403 && !isOfStream({ code })) return null;
  if (/cancel/i.test(message)) return "cancelled";
  if (/streaming time|time.*exceed|exceed.*time/i.test(message)) return "time";
  if (/size|too large/i.test(message)) return "size";
  if (/previously streamed/i.test(message)) return "content";
  if (/quota|too many|rate|throttl/i.test(message)) return "throttled";
  return isOfStream({ code }) ? "state" : null;
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  "BotNotInConversationRoster",
  "ConversationBlockedByUser",
  "BotDisabledByAdmin",
  "MessageWritesBlocked",
]);

function isOfStream({ code }: Pick<TeamsRefusal, "code">): boolean {
  return code?.startsWith("ContentStream") === true;
}

function wordsFor(refusal: TeamsRefusal): string {
  const { status, code, message } = refusal;
  if (status === 413 || /size too/i.test(`${code} ${message}`)) return "Teams does not take a message of this size.";
  if (status === 401)
    return "Teams does not accept Deckhand's credentials. Whoever runs it can see why with `./deckhand teams check`.";
  if (code === "ConversationBlockedByUser") return "This person has blocked Deckhand.";
  if (code === "BotDisabledByAdmin") return "An admin has disabled Deckhand here.";
  if (isUnreachable(refusal))
    return "Deckhand is not in this conversation any more. Add the app again and write to it.";
  if (status === 404) return "This conversation is gone.";
  return "Teams did not accept this. Whoever runs Deckhand finds the reason in its log.";
}
