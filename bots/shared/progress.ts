import type { StatusStep } from "./chat-surface.ts";
import type { EventPreview, SessionEvent } from "./session-events.ts";
import { firstSentence, toolLabel } from "./tool-label.ts";

/** What is known of a turn that runs or has just ended. */
export interface Turn {
  /** Id of its first event, so that it is the same in every attempt to deliver it. */
  id: string;
  startedAt: number;
  endedAt: number | null;
  steps: StatusStep[];
  tokens: number;
  note: string | null;
  /** What the agent said since its last tool call: the answer, unless another tool call follows. */
  said: { id: string; text: string }[];
  draft: { eventId: string; text: string } | null;
  interrupted: boolean;
}

export type TurnEnd = "done" | "stopped" | "failed" | "refused" | "waiting" | "terminated";
type SessionError = Extract<SessionEvent, { type: "session.error" }>["error"];

/** What has to be brought into the thread. */
export type Outcome =
  | { type: "answer"; id: string; text: string }
  | { type: "error"; id: string; error: SessionError }
  /** Always the last outcome of its turn. */
  | { type: "ended"; eventId: string; at: string; how: TurnEnd };

export interface Progress {
  /** Null between turns. A turn that ended is shown once more, with `endedAt` set. */
  turn: Turn | null;
  outcomes: Outcome[];
}

const STEP_CHARS_MAX = 80;

/** Pure: the turn after this event, and what follows from it. Events that say nothing to a person change nothing. */
export function fold(before: Turn | null, event: SessionEvent): Progress {
  const running = before?.endedAt === null ? before : null;
  switch (event.type) {
    case "user.message":
      if (!running) return { turn: begin(event), outcomes: [] };
      // The answer to what was asked before, when a message came in between.
      return { turn: { ...running, said: [] }, outcomes: answers(running) };
    case "session.status_running":
      return { turn: running ? { ...running, note: null } : begin(event), outcomes: [] };
    case "user.interrupt":
      return { turn: running && { ...running, said: [], draft: null, interrupted: true }, outcomes: [] };
    case "agent.message":
      return { turn: running && addSaid(running, event.id, textOf(event.content)), outcomes: [] };
    case "agent.tool_use":
      return { turn: running && addTool(running, toolLabel(event.name, event.input)), outcomes: [] };
    case "span.model_request_end":
      return { turn: running && { ...running, tokens: running.tokens + tokensOf(event.model_usage) }, outcomes: [] };
    case "agent.thread_context_compacted":
      return {
        turn: running && { ...running, note: "Summing up the earlier part of the conversation." },
        outcomes: [],
      };
    case "session.status_rescheduled":
      return { turn: running && { ...running, draft: null }, outcomes: [] };
    case "session.error":
      return addError(running, event);
    case "session.status_idle":
      return end(running, event, howItEnded(running, event.stop_reason.type));
    case "session.status_terminated":
      return end(running, event, "terminated");
    default:
      return { turn: running, outcomes: [] };
  }
}

/** Pure: the turn with what the agent is writing right now. */
export function foldPreview(turn: Turn | null, preview: EventPreview): Turn | null {
  if (!turn || turn.endedAt !== null) return turn;
  if (preview.type === "event_start") {
    return preview.event.type === "agent.message" ? { ...turn, draft: { eventId: preview.event.id, text: "" } } : turn;
  }
  if (turn.draft?.eventId !== preview.event_id || preview.delta.content.type !== "text") return turn;
  return { ...turn, draft: { eventId: preview.event_id, text: turn.draft.text + preview.delta.content.text } };
}

function begin(event: SessionEvent): Turn {
  return {
    id: event.id,
    startedAt: timeOf(event),
    endedAt: null,
    steps: [],
    tokens: 0,
    note: null,
    said: [],
    draft: null,
    interrupted: false,
  };
}

function addSaid(turn: Turn, id: string, text: string): Turn {
  const said = text.trim() === "" ? turn.said : [...turn.said, { id, text }];
  return { ...turn, said, note: null, draft: null };
}

/** What was said before a tool call was not the answer but the name of the next step. */
function addTool(turn: Turn, label: string): Turn {
  const next = turn.said.map(({ text }) => newStep(firstSentence(text, STEP_CHARS_MAX), null));
  const steps = [...turn.steps, ...next];
  const current = steps.pop() ?? newStep("Getting started", null);
  return {
    ...turn,
    said: [],
    note: null,
    draft: null,
    steps: [
      ...steps.map((step) => ({ ...step, state: "done" as const })),
      { ...current, detail: label, toolCount: current.toolCount + 1 },
    ],
  };
}

function newStep(label: string, detail: string | null): StatusStep {
  return { label, state: "running", detail, toolCount: 0 };
}

function addError(turn: Turn | null, event: Extract<SessionEvent, { type: "session.error" }>): Progress {
  const { error } = event;
  if (error.retry_status.type !== "retrying") return { turn, outcomes: [{ type: "error", id: event.id, error }] };
  return { turn: turn && { ...turn, note: retryNote(error), draft: null }, outcomes: [] };
}

function retryNote(error: SessionError): string {
  switch (error.type) {
    case "model_overloaded_error":
      return "The model is overloaded. Trying again.";
    case "model_rate_limited_error":
      return "The model's rate limit is reached. Waiting, then trying again.";
    default:
      return "The model could not be reached. Trying again.";
  }
}

function end(turn: Turn | null, event: SessionEvent, how: TurnEnd): Progress {
  const ended: Outcome = { type: "ended", eventId: event.id, at: new Date(timeOf(event)).toISOString(), how };
  if (!turn) return { turn: null, outcomes: [ended] };
  const finished = how === "done" || how === "waiting";
  return {
    turn: {
      ...turn,
      endedAt: timeOf(event),
      steps: turn.steps.map((step) =>
        step.state === "running" ? { ...step, state: finished ? "done" : "stopped" } : step,
      ),
      note: null,
      said: [],
      draft: null,
    },
    outcomes: [...answers(turn), ended],
  };
}

function howItEnded(turn: Turn | null, stopReason: string): TurnEnd {
  if (turn?.interrupted) return "stopped";
  switch (stopReason) {
    case "end_turn":
      return "done";
    case "requires_action":
      return "waiting";
    case "refusal":
      return "refused";
    default:
      return "failed";
  }
}

function answers(turn: Turn): Outcome[] {
  return turn.said.map(({ id, text }) => ({ type: "answer", id, text }));
}

function textOf(content: { type: string; text?: string }[]): string {
  return content.map((block) => block.text ?? "").join("");
}

interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens: number;
  cache_read_input_tokens: number;
}

function tokensOf(usage: Usage): number {
  const { input_tokens, output_tokens, cache_creation_input_tokens, cache_read_input_tokens } = usage;
  return input_tokens + output_tokens + cache_creation_input_tokens + cache_read_input_tokens;
}

function timeOf(event: SessionEvent): number {
  return "processed_at" in event && typeof event.processed_at === "string"
    ? Date.parse(event.processed_at)
    : Number.NaN;
}
