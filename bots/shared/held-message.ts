import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import type { ChannelPolicy } from "./channel-policy.ts";
import type { Approval } from "./chat-records.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { plainWords } from "./plain-words.ts";
import { notice } from "./render.ts";
import type { TakeInScope } from "./take-in-scope.ts";
import { tryToTell } from "./tell.ts";

type HeldScope = Pick<TakeInScope, "surface" | "source" | "store" | "log">;

/**
 * Says that what was written while the session waits for people is read after they have decided, and who can: once for each
 * wait. Never rejects.
 */
export async function tellHeld(
  scope: HeldScope,
  thread: ChatThreadKey,
  { asked, policy }: { asked: Approval; policy: Pick<ChannelPolicy, "approvers"> },
  signal: AbortSignal,
): Promise<void> {
  const who =
    policy.approvers.length > 0
      ? "the approvers of this channel"
      : await nameOf(scope, thread, asked.requester, signal);
  const words = `I read this after the decision on the request above, which is up to ${who}: by its buttons, or by writing \`approve\` or \`deny\`.`;
  await tryToTell(scope, thread, `held:${asked.toolUseId}`, notice("info", words), signal);
}

async function nameOf(
  { source, log }: HeldScope,
  thread: ChatThreadKey,
  personId: string | null,
  signal: AbortSignal,
): Promise<string> {
  const unnamed = "whoever began this work";
  if (personId === null) return unnamed;
  try {
    return plainWords((await source.person(thread, personId, signal)).name) || unnamed;
  } catch (error) {
    const expected = signal.aborted || error instanceof RetryableError || error instanceof TerminalError;
    if (!expected) throw error;
    log.warn({ chat_thread_key: thread, error: messageOf(error) }, "who decides is told without a name");
    return unnamed;
  }
}
