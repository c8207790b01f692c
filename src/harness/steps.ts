import { EnvironmentBuildError } from "../environments/environment-images.ts";
import { messageOf } from "../errors.ts";
import type { EventOf } from "../schemas/event.ts";
import { stageUnanswered } from "./call-model.ts";
import { COMPACT_AT } from "./compaction.ts";
import { deliverOutputs } from "./deliver-outputs.ts";
import { commitIdle, stageIdle, stageInterrupt, stageRejections, stageRunning } from "./end-turn.ts";
import { giveUp } from "./failure.ts";
import { planIntake } from "./intake.ts";
import { type LoopLimits, nextStep, type Step } from "./loop.ts";
import { callModelStep, compactStep } from "./model-steps.ts";
import { denialsSince } from "./network-denials.ts";
import { openSandbox } from "./open-sandbox.ts";
import { wasRefused } from "./replay.ts";
import type { Outcome, Run } from "./run-session.ts";
import { runTool, type RunToolsDeps } from "./run-tools.ts";
import { errorResult } from "./tool-result.ts";
import { prepareCall } from "./toolset.ts";
import type { Turn } from "./turn.ts";

const TOOL_ROUNDS_MAX = 200;
const COMPACTIONS_MAX = 2;
const NO_ENVIRONMENT = errorResult("This call did not run: the packages of the environment could not be installed.");

/** Steps until the lease is given back. Throws when this harness must let go, with nothing staged lost but uncommitted. */
export async function runSteps(run: Run): Promise<void> {
  let step: Step | null = null;
  for (;;) {
    if (mustLook(run, step)) await takeInbox(run);
    step = nextStep(run.turn.view, limitsOf(run));
    const taken = step;
    if ((await interruptible(run, () => takeStep(run, taken))) === "released") return;
  }
}

/**
 * Whether the inbox is looked into before the step that is due: always before the model is asked, so that what was sent
 * meanwhile is in the request, and before clients are waited for. Tools run whatever waits, unless it is an interrupt, of which the heartbeat tells. Going
 * idle is refused while anything waits, and only then is there something to see.
 */
function mustLook(run: Run, last: Step | null): boolean {
  if (last === null || last.type === "go_idle" || run.signals.interrupt.aborted) return true;
  const due = nextStep(run.turn.view, limitsOf(run)).type;
  return due !== "run_tools" && due !== "go_idle";
}

/** What an interrupt cuts short is dealt with by the next look into the inbox. */
async function interruptible(run: Run, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!run.signals.interrupt.aborted || run.signals.letGo.aborted) throw error;
    return "go_on";
  }
}

async function takeInbox(run: Run): Promise<void> {
  const { turn, deps } = run;
  const inbox = (await deps.log.inbox(turn.sessionId)).filter((event) => !turn.hasTaken(event));
  const { take, interrupted } = planIntake(inbox, turn.view.unresolvedCalls.length > 0);
  run.heldCount = inbox.length - take.length;
  if (interrupted) {
    stageInterrupt(turn, take);
    // It leaves the inbox before the signals are renewed: whoever looks for an interrupt must not find this one again.
    await turn.commit();
  }
  run.signals = run.signals.afterInterrupt();
  if (interrupted || isBeingStopped(turn)) return;
  for (const event of take) turn.take(event);
  if (take.some((event) => event.type === "user.message")) run.sandbox.recheckEquipment();
  // Results may have closed the last open call, and the model is asked next.
  if (run.heldCount > 0 && turn.view.unresolvedCalls.length === 0) await takeInbox(run);
}

/** An interrupt ends its turn before anything that was sent after it is taken up. */
function isBeingStopped({ view, state }: Turn): boolean {
  return view.interrupted && state.status !== "idle";
}

async function takeStep(run: Run, step: Step): Promise<Outcome> {
  const { turn } = run;
  // From here on the session must be seen to have work, or nobody would go on when this harness dies.
  if (step.type !== "go_idle" && step.type !== "wait_for_clients") stageRunning(turn);
  switch (step.type) {
    case "close_request":
      stageUnanswered(turn, step.startId, true);
      return "go_on";
    case "call_model":
      return callModelStep(run);
    case "compact":
      return compactStep(run);
    case "run_tools":
      return runToolsStep(run, step.calls);
    case "reject_calls":
      stageRejections(turn, step.confirmations);
      return "go_on";
    case "wait_for_clients":
      return waitForClients(run, step.callIds);
    case "limit_reached":
      await giveUp(run, {
        type: step.limit === "tool_use" ? "tool_use_limit_reached_error" : "compaction_limit_reached_error",
        message: `The turn reached its limit of ${step.limit === "tool_use" ? "tool rounds" : "compactions"}.`,
      });
      return "released";
    case "go_idle":
      return goIdle(run);
  }
}

async function runToolsStep(run: Run, calls: EventOf<"agent.tool_use">[]): Promise<Outcome> {
  const { turn, signals } = run;
  await turn.commit(); // A call is in the log before it runs.
  const deps = runToolsDeps(run);
  for (const [index, call] of calls.entries()) {
    try {
      turn.stage({ type: "agent.tool_result", tool_use_id: call.id, ...(await runTool(call, deps)) });
    } catch (error) {
      if (!(error instanceof EnvironmentBuildError)) throw error;
      return withoutEnvironment(run, calls.slice(index), error);
    }
    if (signals.interrupt.aborted) return "go_on";
    if (index < calls.length - 1) await turn.commit();
  }
  return "go_on";
}

function runToolsDeps(run: Run): RunToolsDeps {
  const { turn, sandbox, signals, orphans } = run;
  return {
    prepare: (name, input) => prepareCall(turn.lease.agent, name, input),
    sandbox,
    open: () => openSandbox(run),
    denialsSince: (opened, since) => denialsSince(run, opened, since),
    signals,
    orphans,
    crashPoint: run.deps.crashPoint,
  };
}

/** There is nothing that the model could do about it: the turn is over. */
async function withoutEnvironment(run: Run, calls: EventOf<"agent.tool_use">[], error: Error): Promise<Outcome> {
  for (const { id } of calls) run.turn.stage({ type: "agent.tool_result", tool_use_id: id, ...NO_ENVIRONMENT });
  await giveUp(run, { type: "unknown_error", message: messageOf(error) });
  return "released";
}

/**
 * Lets go of the session until people decide and clients give results. What was made so far is brought to them first:
 * they may want to look at it. They are told again only when other calls are left.
 */
async function waitForClients(run: Run, callIds: string[]): Promise<Outcome> {
  const { turn, heldCount } = run;
  const { announcedCalls } = turn.view;
  if (turn.state.status === "idle" && callIds.join() === announcedCalls.join()) {
    return (await turn.commit({ idle: true, held: heldCount })) ? "released" : "go_on";
  }
  await deliverOutputs(run);
  await run.deps.crashPoint("before_idle");
  const stopReason = { type: "requires_action" as const, event_ids: callIds };
  return (await commitIdle(turn, stopReason, heldCount)) ? "released" : "go_on";
}

async function goIdle(run: Run): Promise<Outcome> {
  const { turn } = run;
  if (turn.state.status === "idle") return (await turn.commit({ idle: true })) ? "released" : "go_on";
  await deliverOutputs(run);
  await run.deps.crashPoint("before_idle");
  if (await commitIdle(turn, wasRefused(turn.events) ? { type: "refusal" } : { type: "end_turn" })) return "released";
  // Somebody sent something in the meantime. That goes on with this turn, unless the user stopped it.
  if (turn.view.interrupted) {
    stageIdle(turn, { type: "end_turn" });
    await turn.commit();
  }
  return "go_on";
}

function limitsOf({ turn, deps }: Run): LoopLimits {
  const window = deps.findModel(turn.lease.agent.model.id)?.info.contextWindowTokens ?? Number.POSITIVE_INFINITY;
  return {
    toolRoundsMax: TOOL_ROUNDS_MAX,
    compactionsMax: COMPACTIONS_MAX,
    contextTokensMax: window * COMPACT_AT,
  };
}
