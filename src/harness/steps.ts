import { ModelError, type ModelResponse } from "../models/model-provider.ts";
import { SandboxLostError } from "../sandbox/sandbox.ts";
import type { EventOf, SessionErrorDetail } from "../schemas/event.ts";
import { callModel, requestModel, stageUnanswered } from "./call-model.ts";
import { changedOutputs, collectOutputs } from "./collect-outputs.ts";
import { COMPACT_AT, compactedContext, compactionMessages } from "./compaction.ts";
import { commitIdle, commitRescheduled, stageInterrupt, stageRunning } from "./end-turn.ts";
import { planIntake } from "./intake.ts";
import { type LoopLimits, nextStep, type Step } from "./loop.ts";
import { buildRequest } from "./model-request.ts";
import type { CompactedContext } from "./replay.ts";
import { retryDelayMs } from "./retry.ts";
import type { Run } from "./run-session.ts";
import { runTool } from "./run-tools.ts";
import { prepareCall } from "./toolset.ts";
import type { Turn } from "./turn.ts";

const TOOL_ROUNDS_MAX = 200;
const COMPACTIONS_MAX = 2;

/** What a step leaves behind: go on, or the lease has been given back. */
type Outcome = "go_on" | "released";

/** Steps until the lease is given back. Throws when this harness must let go, with nothing staged lost but uncommitted. */
export async function runSteps(run: Run): Promise<void> {
  for (;;) {
    if (run.signals.interrupt.aborted) run.turn.noteQueued(Math.max(1, run.turn.queuedCount));
    if ((await takeInbox(run)) === "released") return;
    const step = nextStep(run.turn.view, limitsOf(run));
    if ((await interruptible(run, () => takeStep(run, step))) === "released") return;
  }
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

async function takeInbox(run: Run): Promise<Outcome> {
  const { turn, deps } = run;
  if (turn.queuedCount === 0) return "go_on";
  const inbox = (await deps.log.inbox(turn.sessionId)).filter((event) => !turn.hasTaken(event));
  turn.noteQueued(inbox.length);
  const { take, interrupted } = planIntake(inbox);
  if (interrupted) {
    stageInterrupt(turn, take);
    run.signals = run.signals.afterInterrupt();
    return (await goIdle(run)) ? "released" : "go_on";
  }
  run.signals = run.signals.afterInterrupt();
  if (turn.view.unresolvedCalls.length > 0) return "go_on";
  for (const event of take) turn.take(event);
  if (take.length > 0) run.sandbox.recheckMounts();
  return "go_on";
}

async function takeStep(run: Run, step: Step): Promise<Outcome> {
  const { turn } = run;
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
    case "limit_reached":
      return giveUp(run, {
        type: step.limit === "tool_use" ? "tool_use_limit_reached_error" : "compaction_limit_reached_error",
        message: `The turn reached its limit of ${step.limit === "tool_use" ? "tool rounds" : "compactions"}.`,
      });
    case "go_idle":
      return (await goIdle(run)) ? "released" : "go_on";
  }
}

async function callModelStep(run: Run): Promise<Outcome> {
  const { turn, deps, signals } = run;
  stageRunning(turn);
  const model = deps.findModel(turn.lease.agent.model.id);
  if (!model) {
    const message = `No provider serves the model \`${turn.lease.agent.model.id}\`.`;
    return giveUp(run, { type: "model_request_failed_error", message });
  }
  const request = await buildRequest(turn, model.info, deps.files);
  await deps.crashPoint("before_model");
  try {
    await callModel(
      turn,
      (signal) => model.provider.stream(request, signal),
      (preview) => deps.log.preview(turn.sessionId, preview),
      signals.any,
    );
  } catch (error) {
    return onModelFailure(run, error);
  }
  await deps.crashPoint("after_model");
  return "go_on";
}

async function compactStep(run: Run): Promise<Outcome> {
  const { turn, deps, signals } = run;
  const model = deps.findModel(turn.lease.agent.model.id);
  if (!model) return callModelStep(run);
  const request = await buildRequest(turn, model.info, deps.files);
  const asked = { ...request, messages: compactionMessages(request.messages), tools: [] };
  try {
    const { startId, response } = await requestModel(
      turn,
      (signal) => model.provider.stream(asked, signal),
      () => undefined,
      signals.any,
    );
    stageCompaction(turn, startId, response);
  } catch (error) {
    return onModelFailure(run, error);
  }
  return "go_on";
}

/** The summary is for the model alone: no `agent.message`. */
function stageCompaction(turn: Turn, startId: string, { content, usage }: ModelResponse): void {
  const summary = content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
  const hidden: CompactedContext = { summary: compactedContext(summary, turn.events) };
  turn.stage({ type: "span.model_request_end", model_request_start_id: startId, is_error: false, model_usage: usage });
  turn.stage({ type: "agent.thread_context_compacted" }, hidden);
}

async function runToolsStep(run: Run, calls: EventOf<"agent.tool_use">[]): Promise<Outcome> {
  const { turn, deps, sandbox, signals, orphans } = run;
  await turn.commit(); // A call is in the log before it runs.
  for (const [index, call] of calls.entries()) {
    const prepare = (name: string, input: Record<string, unknown>) => prepareCall(turn.lease.agent, name, input);
    const result = await runTool(call, { prepare, sandbox, signals, orphans, crashPoint: deps.crashPoint });
    turn.stage({ type: "agent.tool_result", tool_use_id: call.id, ...result });
    if (signals.interrupt.aborted) return "go_on";
    if (index < calls.length - 1) await turn.commit();
  }
  return "go_on";
}

/** @throws what is not the model's failure */
async function onModelFailure(run: Run, error: unknown): Promise<Outcome> {
  const { turn, deps } = run;
  if (!(error instanceof ModelError) || run.signals.any.aborted) throw error;
  run.logger.warn({ error: error.message, type: error.type }, "model request failed");
  if (turn.view.openRequestId) stageUnanswered(turn, turn.view.openRequestId, true);
  const delayMs = error.retryable
    ? retryDelayMs(deps.retry, turn.view.failedAttempts, error.retryAfterMs, Math.random())
    : null;
  if (delayMs === null) return giveUp(run, { type: error.type, message: error.message });
  const detail: SessionErrorDetail = { type: error.type, message: error.message, retry_status: { type: "retrying" } };
  await commitRescheduled(turn, detail, new Date(Date.now() + delayMs));
  await deps.hint(turn.sessionId, delayMs);
  return "released";
}

/** The turn is dead. What waits in the inbox is taken into the log: the next message starts afresh with it in view. */
async function giveUp(run: Run, error: Pick<SessionErrorDetail, "type" | "message">): Promise<Outcome> {
  const { turn, deps } = run;
  turn.stage({ type: "session.error", error: { ...error, retry_status: { type: "exhausted" } } });
  while (!(await commitIdle(turn, { type: "retries_exhausted" }))) {
    const inbox = await deps.log.inbox(turn.sessionId);
    for (const event of inbox) if (!turn.hasTaken(event)) turn.take(event);
  }
  return "released";
}

/** @returns false when somebody sent something in the meantime */
async function goIdle(run: Run): Promise<boolean> {
  if (run.turn.state.status === "idle") return run.turn.commit({ idle: true });
  await deliverOutputs(run);
  await run.deps.crashPoint("before_idle");
  return commitIdle(run.turn, { type: "end_turn" });
}

/** Before the session is seen to be idle its files are there, also those of a harness that died before this. */
async function deliverOutputs({ turn, deps, sandbox, signals, logger, resumed }: Run): Promise<void> {
  if (resumed) await sandbox.remains(signals.any);
  const opened = sandbox.current;
  if (!opened) return;
  const session = { sessionId: turn.sessionId, workspaceId: turn.lease.workspaceId };
  try {
    const known = await deps.files.outputsOf(turn.sessionId);
    const changed = changedOutputs(await opened.listOutputs(signals.any), known);
    if (changed.length === 0) return;
    await turn.commit(); // The answer is seen while its files are fetched.
    await collectOutputs(opened, changed, deps.files, session, logger, signals.any);
  } catch (error) {
    if (!(error instanceof SandboxLostError)) throw error;
    logger.warn("sandbox lost before its outputs were collected");
  }
}

function limitsOf({ turn, deps }: Run): LoopLimits {
  const window = deps.findModel(turn.lease.agent.model.id)?.info.contextWindowTokens ?? Number.POSITIVE_INFINITY;
  return {
    toolRoundsMax: TOOL_ROUNDS_MAX,
    compactionsMax: COMPACTIONS_MAX,
    contextTokensMax: window * COMPACT_AT,
  };
}
