import type { StatusStep } from "./chat-surface.ts";
import type { EventPreview, SessionEvent } from "./session-events.ts";
import { requestTokens, type SessionUsage, sessionUsage } from "./session-usage.ts";
import { firstSentence, toolLabel } from "./tool-label.ts";

/** A tool call that a person has to allow first. */
export interface Ask {
  /** Of the `agent.tool_use` or `agent.mcp_tool_use` event. */
  toolUseId: string;
  toolName: string;
  input: Record<string, unknown>;
}

/** What is known of a turn that runs, waits or has just ended. */
export interface Turn {
  /** Id of its first event, so that it is the same in every attempt to deliver it. */
  id: string;
  /** The time it waited for people is not counted: it moves on by as much. */
  startedAt: number;
  /** Since when it waits for a person; null while it doesn't. */
  waitingSince: number | null;
  endedAt: number | null;
  steps: StatusStep[];
  tokens: number;
  note: string | null;
  /** What the agent said since its last tool call: the answer, unless another tool call follows. */
  said: { id: string; text: string }[];
  draft: { eventId: string; text: string } | null;
  interrupted: boolean;
  /** Calls that were asked for and not decided on. */
  asks: Ask[];
  /** Null until the server has said it. */
  usage: SessionUsage | null;
}

export type TurnEnd = "done" | "stopped" | "failed" | "refused" | "terminated";
type SessionError = Extract<SessionEvent, { type: "session.error" }>["error"];

/** What has to be brought into the thread. */
export type Outcome =
  | { type: "answer"; id: string; text: string }
  | { type: "error"; id: string; error: SessionError }
  /** The session knows how this call was decided on, by whomever. */
  | { type: "decided"; ask: Ask; decision: "allow" | "deny" }
  /** Nobody needs to decide on this call any more. */
  | { type: "moot"; ask: Ask }
  /**
   * The turn stands still until people have decided on `turn.asks`. `elsewhere`: it waits for something that can't be given
   * in a chat, such as the result of a client's own tool.
   */
  | { type: "waiting"; eventId: string; elsewhere: boolean }
  /** Always the last outcome of its turn. */
  | { type: "ended"; eventId: string; at: string; how: TurnEnd };

export interface Progress {
  /** Null between turns. A turn that ended is shown once more, with `endedAt` set; one that waits is not over. */
  turn: Turn | null;
  outcomes: Outcome[];
}

type ToolUse = Extract<SessionEvent, { type: "agent.tool_use" | "agent.mcp_tool_use" }>;

const STEP_CHARS_MAX = 80;
/** A permission that is not known yet is taken for a question, as the SDK's own runner does. */
const UNASKED: ReadonlySet<string> = new Set(["allow", "deny"]);

/** Pure: the turn after this event, and what follows from it. Events that say nothing to a person change nothing. */
export function fold(before: Turn | null, event: SessionEvent): Progress {
  const running = before?.endedAt === null ? before : null;
  switch (event.type) {
    case "user.message":
      if (!running) return { turn: begin(event), outcomes: [] };
      // The answer to what was asked before, when a message came in between.
      return { turn: { ...running, said: [] }, outcomes: answers(running) };
    case "session.status_running":
      return { turn: running ? { ...goOn(running, event), note: null } : begin(event), outcomes: [] };
    case "user.interrupt":
      return interrupt(running, event);
    case "user.tool_confirmation":
      return decide(running, event);
    case "agent.message":
      return { turn: running && addSaid(running, event.id, textOf(event.content)), outcomes: [] };
    case "agent.tool_use":
    case "agent.mcp_tool_use":
      return { turn: running && addTool(running, event), outcomes: [] };
    case "session.usage":
      return { turn: running && { ...running, usage: sessionUsage(event.usage) }, outcomes: [] };
    case "span.model_request_end":
      return {
        turn: running && { ...running, tokens: running.tokens + requestTokens(event.model_usage) },
        outcomes: [],
      };
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
      if (event.stop_reason.type === "requires_action" && running?.interrupted !== true)
        return wait(running, event, event.stop_reason.event_ids);
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
    waitingSince: null,
    asks: [],
    usage: null,
  };
}

/** The turn at work again: the time it stood still does not count as its own. */
function goOn(turn: Turn, event: SessionEvent): Turn {
  if (turn.waitingSince === null) return turn;
  const waitedMs = Math.max(0, timeOf(event) - turn.waitingSince);
  return { ...turn, startedAt: turn.startedAt + waitedMs, waitingSince: null };
}

function interrupt(turn: Turn | null, event: SessionEvent): Progress {
  if (!turn) return { turn, outcomes: [] };
  // What was waiting is at work again until it is idle, which is where the turn ends.
  return {
    turn: { ...goOn(turn, event), said: [], draft: null, interrupted: true, asks: [] },
    outcomes: moot(turn.asks),
  };
}

/** Some of several decisions leave the turn waiting for the others. */
function decide(turn: Turn | null, event: Extract<SessionEvent, { type: "user.tool_confirmation" }>): Progress {
  const { tool_use_id: toolUseId } = event;
  const decided = turn?.asks.find((ask) => ask.toolUseId === toolUseId);
  if (!turn || !decided) return { turn, outcomes: [] };
  const asks = turn.asks.filter((ask) => ask !== decided);
  const next = { ...turn, asks };
  return {
    turn: asks.length === 0 ? goOn(next, event) : next,
    outcomes: [{ type: "decided", ask: decided, decision: event.result }],
  };
}

/** What the session does not name any more was decided on in a way the log doesn't tell. */
function wait(before: Turn | null, event: SessionEvent, eventIds: string[]): Progress {
  const turn = before ?? begin(event);
  const asks = turn.asks.filter(({ toolUseId }) => eventIds.includes(toolUseId));
  const gone = turn.asks.filter((ask) => !asks.includes(ask));
  const elsewhere = asks.length < eventIds.length || asks.length === 0;
  return {
    turn: { ...turn, asks, waitingSince: turn.waitingSince ?? timeOf(event), said: [], draft: null, note: null },
    outcomes: [...answers(turn), ...moot(gone), { type: "waiting", eventId: event.id, elsewhere }],
  };
}

function addSaid(turn: Turn, id: string, text: string): Turn {
  const said = text.trim() === "" ? turn.said : [...turn.said, { id, text }];
  return { ...turn, said, note: null, draft: null };
}

/** What was said before a tool call was not the answer but the name of the next step. */
function addTool(turn: Turn, event: ToolUse): Turn {
  const asked = event.evaluated_permission !== undefined && !UNASKED.has(event.evaluated_permission);
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
      { ...current, detail: toolLabel(event.name, event.input), toolCount: current.toolCount + 1 },
    ],
    asks: asked ? [...turn.asks, { toolUseId: event.id, toolName: event.name, input: event.input }] : turn.asks,
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
  const finished = how === "done";
  return {
    turn: {
      ...goOn(turn, event),
      endedAt: timeOf(event),
      steps: turn.steps.map((step) =>
        step.state === "running" ? { ...step, state: finished ? "done" : "stopped" } : step,
      ),
      note: null,
      said: [],
      draft: null,
      asks: [],
    },
    outcomes: [...answers(turn), ...moot(turn.asks), ended],
  };
}

function howItEnded(turn: Turn | null, stopReason: string): TurnEnd {
  if (turn?.interrupted) return "stopped";
  switch (stopReason) {
    case "end_turn":
      return "done";
    case "refusal":
      return "refused";
    default:
      return "failed";
  }
}

function answers(turn: Turn): Outcome[] {
  return turn.said.map(({ id, text }) => ({ type: "answer", id, text }));
}

function moot(asks: Ask[]): Outcome[] {
  return asks.map((ask) => ({ type: "moot", ask }));
}

function textOf(content: { type: string; text?: string }[]): string {
  return content.map((block) => block.text ?? "").join("");
}

function timeOf(event: SessionEvent): number {
  return "processed_at" in event && typeof event.processed_at === "string"
    ? Date.parse(event.processed_at)
    : Number.NaN;
}
