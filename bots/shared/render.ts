import type { Anthropic } from "@anthropic-ai/sdk";
import type { ChatMessage, StatusState, WordsMessage } from "./chat-surface.ts";
import type { Turn, TurnEnd } from "./turn.ts";
import { splitMarkdown } from "./split-markdown.ts";
import { shownSteps } from "./turn-build.ts";

const SAID_CHARS_MAX = 1_000;

type SessionError = Anthropic.Beta.Sessions.BetaManagedAgentsSessionErrorEvent["error"];

/** The status of a turn; `how` once it has ended. `drafts`: whether it shows what the agent is writing. */
export function statusMessage(turn: Turn, how: TurnEnd | null, drafts: boolean): ChatMessage {
  const unended = turn.waitingSince === null ? "working" : "waiting";
  return {
    type: "status",
    card: {
      state: how === null ? unended : TURN_STATES[how],
      steps: shownSteps(turn),
      startedAt: turn.startedAt,
      endedAt: turn.endedAt ?? turn.waitingSince,
      tokens: turn.tokens,
      costCents: worthTelling(turn.usage?.costCents ?? null),
      note: turn.note,
      draft: drafts && turn.draft && turn.draft.text !== "" ? turn.draft.text : null,
    },
  };
}

/** The answer that is the event `answerId`: one message, or several where the surface's limit asks for it. The last is rated. */
export function answerMessages(answerId: string, markdown: string, charsMax: number): WordsMessage[] {
  return splitMarkdown(markdown, charsMax).map((part, index, { length }) => ({
    type: "text",
    markdown: part,
    answerId: index === length - 1 ? answerId : null,
  }));
}

/** What happened and what to do about it. What the model's API said is for the log, not for people. */
export function errorMessage({ error, build }: { error: SessionError; build: boolean }): WordsMessage {
  return { type: "notice", level: "error", markdown: build ? buildErrorText(error.message) : errorText(error.type) };
}

/** What to say when a turn ended in a way that needs words; null when the answer or an error has said it all. */
export function endMessage(how: TurnEnd): WordsMessage | null {
  switch (how) {
    case "refused":
      return notice("warning", "The model declined this request. Try to put it another way, or ask for a part of it.");
    case "terminated":
      return notice("warning", "This session has ended and cannot go on. Write again to start a new one.");
    case "done":
    case "stopped":
    case "failed":
      return null;
  }
}

/** What to say when the agent waits for something that can't be given in a chat. */
export function waitingElsewhereMessage(): WordsMessage {
  return notice(
    "warning",
    "The agent waits for a result that another program has to give it. Write `stop` if that does not come.",
  );
}

/** Takes the place of the beginning of an answer that has no end. */
export function cutShortMessage(): WordsMessage {
  return notice("info", "An answer was begun here and not finished.");
}

/** `0:07`, `12:30`, `1:02:09`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `950`, `12.4k`, `3.1M`. */
export function compactNumber(value: number): string {
  if (value < 1000) return String(value);
  if (value < 999_950) return `${trimZero((value / 1000).toFixed(1))}k`;
  return `${trimZero((value / 1_000_000).toFixed(1))}M`;
}

/** Pure: the cost, or null for one that rounds to nothing. */
export function worthTelling(cents: number | null): number | null {
  return cents !== null && cents >= 0.5 ? cents : null;
}

/** `$0.42`, `$12`, `<$0.01`. */
export function formatCents(cents: number): string {
  if (cents > 0 && cents < 1) return "<$0.01";
  return `$${(cents / 100).toFixed(2).replace(/\.00$/, "")}`;
}

/** `312 B`, `48.1 kB`, `2.3 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_950) return `${trimZero((bytes / 1000).toFixed(1))} kB`;
  return `${trimZero((bytes / 1_000_000).toFixed(1))} MB`;
}

export type Notice = Extract<ChatMessage, { type: "notice" }>;

export function notice(level: Notice["level"], markdown: string): Notice {
  return { type: "notice", level, markdown };
}

/** How a turn ended, as a status and in lists. */
export const TURN_STATES: Record<TurnEnd, Exclude<StatusState, "working" | "waiting">> = {
  done: "done",
  stopped: "stopped",
  failed: "failed",
  refused: "failed",
  terminated: "failed",
};

/** With the end of what the package manager said, which names the package. */
function buildErrorText(said: string): string {
  const end = [...said.replaceAll("`", "'")].slice(-SAID_CHARS_MAX).join("");
  return (
    "The packages of this environment could not be installed, so this turn ended. Whoever looks after me can mend the " +
    `environment; then write \`go on\`.\n\n\`\`\`\n${end}\n\`\`\``
  );
}

function errorText(type: SessionError["type"]): string {
  switch (type) {
    case "model_overloaded_error":
      return "The model stayed overloaded, so I gave up for now. Write `go on` in a few minutes to continue.";
    case "model_rate_limited_error":
      return "The model's rate limit was reached and did not clear. Write `go on` later to continue.";
    case "model_request_failed_error":
      return "The model could not handle this request, so this turn ended. Write again to retry; if it keeps failing, start over with `new`.";
    case "billing_error":
      return "The model's provider refused the request for billing reasons. Whoever runs Deckhand needs to check that account.";
    case "tool_use_limit_reached_error":
      return "This turn used as many tool calls as it may. Write `go on` to continue from here.";
    case "compaction_limit_reached_error":
      return "This conversation has become too long to go on with. Write `new` to start afresh.";
    default:
      return "Something went wrong on the server and this turn ended. Write again to retry; the server's log has the details.";
  }
}

function trimZero(decimal: string): string {
  return decimal.replace(/\.0$/, "");
}
