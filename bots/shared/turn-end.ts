import { plainWords } from "./plain-words.ts";
import type { SessionEvent } from "./session-events.ts";
import { closeBuild } from "./turn-build.ts";
import {
  answers,
  goOn,
  moot,
  type Outcome,
  type Progress,
  type SessionError,
  timeOf,
  type Turn,
  type TurnEnd,
} from "./turn.ts";

/** Pure: the turn, if there was one, after the event that ended it. */
export function endTurn(turn: Turn | null, event: SessionEvent, how: TurnEnd): Progress {
  const ended: Outcome = { type: "ended", eventId: event.id, at: new Date(timeOf(event)).toISOString(), how };
  if (!turn) return { turn: null, outcomes: [ended] };
  const state = how === "done" ? "done" : "stopped";
  return {
    turn: {
      ...goOn(turn, event),
      endedAt: timeOf(event),
      steps: closeBuild(turn, state).steps.map((step) => (step.state === "running" ? { ...step, state } : step)),
      build: null,
      note: null,
      said: [],
      draft: null,
      asks: [],
    },
    outcomes: [...answers(turn), ...moot(turn.asks), ended],
  };
}

/** Pure: how a turn ended that the session went idle after. */
export function howItEnded(turn: Turn | null, stopReason: string): TurnEnd {
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

/** Pure: the turn that people have stopped, which ends when the session is idle. */
export function interruptTurn(turn: Turn | null, event: SessionEvent): Progress {
  if (!turn) return { turn, outcomes: [] };
  // What was waiting is at work again until it is idle, which is where the turn ends.
  return {
    turn: { ...goOn(turn, event), said: [], draft: null, interrupted: true, asks: [] },
    outcomes: moot(turn.asks),
  };
}

/** Pure: the turn after an error. One that is tried again is a note, others are brought into the thread. */
export function addError(turn: Turn | null, event: Extract<SessionEvent, { type: "session.error" }>): Progress {
  const { error } = event;
  if (error.retry_status.type !== "retrying") {
    return { turn, outcomes: [{ type: "error", id: event.id, error, build: turn?.build?.state === "stopped" }] };
  }
  return { turn: turn && { ...turn, note: retryNote(error), draft: null }, outcomes: [] };
}

function retryNote(error: SessionError): string {
  switch (error.type) {
    case "model_overloaded_error":
      return "The model is overloaded. Trying again.";
    case "model_rate_limited_error":
      return "The model's rate limit is reached. Waiting, then trying again.";
    case "repository_authentication_error":
      return `${repositoryName(error)} could not be fetched: its token is missing or no longer valid. Going on without it.`;
    case "repository_forbidden_error":
      return `${repositoryName(error)} could not be fetched: its token gives no access. Going on without it.`;
    case "repository_not_found_error":
      return `${repositoryName(error)} could not be fetched: there is none, or its token may not see it. Going on without it.`;
    case "repository_checkout_error":
      return `${repositoryName(error)} could not be fetched: it lacks the branch or commit asked for. Going on without it.`;
    case "repository_clone_error":
      return `${repositoryName(error)} could not be fetched. Going on without it.`;
    case "credential_host_unreachable_error":
      return "A credential can't be used: the environment does not let the agent reach what it is for.";
    default:
      return "The model could not be reached. Trying again.";
  }
}

/** Its owner and name, as people know it. */
function repositoryName({ repository_url: url }: { repository_url: string | null }): string {
  const path = (url === null ? null : URL.parse(url))?.pathname.replaceAll(/^\/|(?:\.git)?\/?$/g, "") ?? "";
  return path === "" ? "A repository" : `The repository ${plainWords(path)}`;
}
