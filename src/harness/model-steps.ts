import { requestCostNanocents } from "../models/model-price.ts";
import { ModelError, type ModelResponse } from "../models/model-provider.ts";
import type { RequestCost } from "../sessions/list-cost.ts";
import { callModel, requestModel, stageUnanswered } from "./call-model.ts";
import { compactedContext, compactionMessages } from "./compaction.ts";
import { giveUp, rescheduleOrGiveUp } from "./failure.ts";
import { buildRequest } from "./model-request.ts";
import type { CompactedContext, ModelAnswer } from "./replay.ts";
import type { Outcome, Run } from "./run-session.ts";
import type { Turn } from "./turn.ts";

/** Asks the model for its answer. */
export async function callModelStep(run: Run): Promise<Outcome> {
  const { turn, deps, signals } = run;
  const model = deps.findModel(turn.lease.agent.model.id);
  if (!model) {
    const message = `No provider serves the model \`${turn.lease.agent.model.id}\`.`;
    await giveUp(run, { type: "model_request_failed_error", message });
    return "released";
  }
  const request = await buildRequest(turn, model.info, deps.files, run.sandbox);
  await deps.crashPoint("before_model");
  try {
    await callModel(
      turn,
      { stream: (signal) => model.provider.stream(request, signal), price: model.info.price },
      (preview, frame) => deps.log.preview(turn.sessionId, preview, frame),
      signals.any,
    );
  } catch (error) {
    return onModelFailure(run, error);
  }
  await deps.crashPoint("after_model");
  return "go_on";
}

/** Asks the model for a summary, and begins anew with it. */
export async function compactStep(run: Run): Promise<Outcome> {
  const { turn, deps, signals } = run;
  const model = deps.findModel(turn.lease.agent.model.id);
  if (!model) return callModelStep(run);
  const request = await buildRequest(turn, model.info, deps.files, run.sandbox);
  // The tools stay: a request that shows calls must define them, and without them nothing would come from the cache.
  const asked = { ...request, messages: compactionMessages(request.messages) };
  try {
    const { startId, response } = await requestModel(
      turn,
      (signal) => model.provider.stream(asked, signal),
      () => undefined,
      signals.any,
    );
    stageCompaction(turn, startId, response, requestCostNanocents(model.info.price, response.usage));
  } catch (error) {
    return onModelFailure(run, error);
  }
  return "go_on";
}

/**
 * The summary is for the model alone: no `agent.message`.
 * @throws ModelError when there is none: nothing would be left of the conversation
 */
function stageCompaction(turn: Turn, startId: string, { content, usage }: ModelResponse, costNanocents: number): void {
  const summary = content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n");
  if (summary.trim() === "") {
    throw new ModelError("model_request_failed_error", "The model gave no summary of the conversation.", {
      retryable: true,
    });
  }
  const hidden: CompactedContext = { summary: compactedContext(summary, turn.events) };
  const answer: ModelAnswer & RequestCost = { content: [], cost_nanocents: costNanocents };
  turn.stage(
    { type: "span.model_request_end", model_request_start_id: startId, is_error: false, model_usage: usage },
    answer,
  );
  turn.stage({ type: "agent.thread_context_compacted" }, hidden);
}

/** @throws what is not the model's failure */
async function onModelFailure(run: Run, error: unknown): Promise<Outcome> {
  if (!(error instanceof ModelError) || run.signals.any.aborted) throw error;
  run.logger.warn({ error: error.message, type: error.type }, "model request failed");
  if (run.turn.view.openRequestId) stageUnanswered(run.turn, run.turn.view.openRequestId, true);
  await rescheduleOrGiveUp(run, { type: error.type, message: error.message }, error);
  return "released";
}
