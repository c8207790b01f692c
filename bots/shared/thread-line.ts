import { messageOf, RetryableError, TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { placeOf, type ChatPlaceKey } from "./chat-place.ts";
import type { ThreadSummary } from "./chat-records.ts";
import type { ChatSource } from "./chat-source.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import { plainWords } from "./plain-words.ts";

/** A thread with a session, as a list of them shows it. */
export interface ThreadLine {
  thread: ChatThreadKey;
  sessionId: string;
  /** What it is about: the beginning of the first message. Never empty. */
  title: string;
  state: ThreadSummary["state"];
  place: ChatPlaceKey | null;
  requester: string | null;
  /** Since when it is in that state, in ms since the epoch. */
  activeAt: number;
  /** Opens the thread; null when the surface has none, or did not give it in time. */
  link: string | null;
}

const LINK_TIMEOUT_MS = 2_000;

/** Never fails for want of a link. Rejects with the signal's reason when it aborts. */
export async function threadLines(
  { source, log }: { source: Pick<ChatSource, "linkTo">; log: Logger },
  summaries: readonly ThreadSummary[],
  signal: AbortSignal,
): Promise<ThreadLine[]> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(LINK_TIMEOUT_MS)]);
  const linkTo = async (thread: ChatThreadKey) => {
    try {
      return await source.linkTo(thread, inTime);
    } catch (error) {
      signal.throwIfAborted();
      const expected = inTime.aborted || error instanceof RetryableError || error instanceof TerminalError;
      if (!expected) throw error;
      log.warn({ chat_thread_key: thread, error: messageOf(error) }, "a thread is listed without a link");
      return null;
    }
  };
  return Promise.all(
    summaries.map(async ({ thread, sessionId, title, state, requester, activeAt }) => ({
      thread,
      sessionId,
      title: title.trim() === "" ? "Untitled" : title,
      state,
      place: placeOf(thread),
      requester,
      activeAt: activeAt.getTime(),
      link: await linkTo(thread),
    })),
  );
}

/** Pure: how a sentence names a thread, in Markdown. */
export function threadName({ title, link }: Pick<ThreadLine, "title" | "link">): string {
  const plain = plainWords(title);
  const named = plain === "" ? "your thread" : `“${plain}”`;
  return link === null ? named : `[${named}](${link})`;
}
