import type { Anthropic } from "@anthropic-ai/sdk";
import type { ChatStore } from "./chat-store.ts";
import type { ChatMessage, ChatSurface } from "./chat-surface.ts";
import type { ChatThreadKey } from "./chat-thread.ts";
import type { ChatCommand } from "./commands.ts";
import { interrupt } from "./interrupt.ts";
import { postOnce } from "./post-once.ts";
import { notice, statusReply } from "./render.ts";
import type { ThreadSessions } from "./thread-sessions.ts";

export interface CommandDeps {
  client: Anthropic;
  surface: ChatSurface;
  store: ChatStore;
  sessions: ThreadSessions;
  ensureDelivery(thread: ChatThreadKey): Promise<void>;
}

export interface CommandCall {
  thread: ChatThreadKey;
  messageId: string;
  command: ChatCommand;
}

const REQUEST_TIMEOUT_MS = 15_000;
const QUEUE_SHOWN_MAX = 50;

const HELP = `Write what you need, and attach the files it is about. While I work, anything you write is taken up at my next step.

- \`stop\` ends what I am doing
- \`status\` says how far I am
- \`new\` starts afresh, with nothing remembered
- \`help\` shows this`;

/** Does what a command says and answers it in the thread, once however often it is called for the same message. */
export async function runCommand(deps: CommandDeps, call: CommandCall, signal: AbortSignal): Promise<void> {
  const reply = await replyTo(deps, call, signal);
  if (!reply) return;
  const { surface, store } = deps;
  const once = { surface, deliveries: store.deliveries, thread: call.thread, signal };
  await postOnce(once, `reply:${call.messageId}`, (marker) => surface.post(call.thread, reply, marker, signal));
}

async function replyTo(deps: CommandDeps, call: CommandCall, signal: AbortSignal): Promise<ChatMessage | null> {
  const { command, thread } = call;
  const sessionId = await deps.sessions.current(thread);
  switch (command.type) {
    case "help":
      return notice("info", HELP);
    case "unknown":
      return notice("warning", unknownText(command.name, command.nearest));
    case "status":
      return statusReply(sessionId === null ? null : await report(deps.client, sessionId, signal));
    case "stop":
      if (sessionId !== null && (await interrupt(deps, thread, sessionId, signal))) return null;
      return notice("info", "Nothing is running.");
    case "new":
      if (sessionId === null) return notice("info", "This thread is fresh already. Write what you need.");
      await interrupt(deps, thread, sessionId, signal);
      await deps.sessions.detach(thread, sessionId);
      return notice("info", "A fresh start: your next message begins a new session.");
  }
}

function unknownText(name: string, nearest: string | null): string {
  const hint = nearest === null ? "" : ` Did you mean \`${nearest}\`?`;
  return `There is no command \`/${name}\`.${hint} \`help\` lists what there is.`;
}

async function report(client: Anthropic, sessionId: string, signal: AbortSignal) {
  const session = await client.beta.sessions.retrieve(sessionId, {}, { signal, timeout: REQUEST_TIMEOUT_MS });
  const { usage, stats } = session;
  const cached =
    (usage.cache_read_input_tokens ?? 0) +
    (usage.cache_creation?.ephemeral_5m_input_tokens ?? 0) +
    (usage.cache_creation?.ephemeral_1h_input_tokens ?? 0);
  return {
    status: session.status,
    tokens: (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0) + cached,
    activeSeconds: stats.active_seconds ?? 0,
    queuedMessages: await queuedMessages(client, sessionId, signal),
  };
}

async function queuedMessages(client: Anthropic, sessionId: string, signal: AbortSignal): Promise<number> {
  const page = await client.beta.sessions.events.list(
    sessionId,
    { order: "desc", limit: QUEUE_SHOWN_MAX, types: ["user.message"] },
    { signal, timeout: REQUEST_TIMEOUT_MS },
  );
  return page.data.filter((event) => event.type === "user.message" && event.processed_at === null).length;
}
