import { TerminalError } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import type { ThreadSummary } from "./chat-records.ts";
import type { ChatStore } from "./chat-store.ts";
import type { ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { InboundItem } from "./inbound-item.ts";
import type { Person } from "./person.ts";
import { plainWords } from "./plain-words.ts";
import { postOnce } from "./post-once.ts";
import { notice, type Notice } from "./render.ts";
import { threadName } from "./thread-line.ts";

/** What can be done to a thread from outside it. */
export type ThreadAction = "stop" | "steer" | "new";

export interface ActionDeps {
  surface: ChatSurface;
  store: Pick<ChatStore, "deliveries">;
  log: Logger;
  /** Keeps what a person did and has it dealt with, as of an event of the surface. Durable when it resolves. */
  accept(thread: ChatThreadKey, messageId: string, item: InboundItem): Promise<void>;
}

export interface ActionCall {
  /** The surface's own id of what asked for it; the same when it is delivered again. */
  id: string;
  action: ThreadAction;
  /** What to say, for `steer`. */
  text: string | null;
  person: Pick<Person, "id" | "name">;
  summary: ThreadSummary;
}

/** Has it done as if the person had written it in the thread, once for the same id. Says to the person what comes of it. */
export async function actOnThread(
  deps: ActionDeps,
  { id, action, text, person, summary }: ActionCall,
  signal: AbortSignal,
): Promise<Notice> {
  const { thread } = summary;
  const personId = person.id;
  const name = threadName({ title: summary.title, link: null });
  switch (action) {
    case "stop":
      await deps.accept(thread, `slash:${id}`, { type: "stop", personId });
      return notice("info", `Stopping ${name}.`);
    case "new":
      await deps.accept(thread, `slash:${id}`, message(personId, "/new"));
      return notice("info", `Starting afresh in ${name}.`);
    case "steer": {
      const words = text ?? "";
      await deps.accept(thread, `slash:${id}`, message(personId, `/steer ${words}`));
      const shown = await showInThread(
        deps,
        thread,
        `steer:${id}`,
        `**${plainWords(person.name)}**, by \`/deckhand steer\`:\n${quote(words)}`,
        signal,
      );
      return notice("info", `Passed on to ${name}.${shown ? "" : " It could not be shown in the thread."}`);
    }
  }
}

/** Others in the thread see what the agent was told. False when the surface will not take it. */
async function showInThread(
  { surface, store, log }: ActionDeps,
  thread: ChatThreadKey,
  item: string,
  markdown: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const once = { surface, deliveries: store.deliveries, thread, signal };
    await postOnce(once, item, (marker) => surface.post(thread, notice("info", markdown), marker, signal));
    return true;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    log.warn({ chat_thread_key: thread, item, error: error.message }, "words for the agent refused by the surface");
    return false;
  }
}

function message(personId: string, text: string): InboundItem {
  return { type: "message", personId, text, attachments: [], addressed: true, agentId: null, reactTo: null };
}

function quote(text: string): string {
  return text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
}
