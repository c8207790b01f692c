import { newId } from "../ids.ts";
import type { ModelResponse, ModelStreamEvent } from "../models/model-provider.ts";
import type { EventPreview, ModelUsage } from "../schemas/event.ts";
import type { ModelAnswer } from "./replay.ts";
import type { Turn } from "./turn.ts";

const NO_USAGE: ModelUsage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

/** Starts the one request that a step makes, on the provider of the session's model. */
export type StreamModel = (signal: AbortSignal) => AsyncIterable<ModelStreamEvent>;
export type ShowPreview = (preview: EventPreview) => void;

/**
 * Makes one model request and stages what came of it for the log.
 * @throws as `requestModel`
 */
export async function callModel(
  turn: Turn,
  stream: StreamModel,
  show: ShowPreview,
  signal: AbortSignal,
): Promise<void> {
  const ids = { messageId: newId("sevt"), thinkingId: newId("sevt") };
  const { startId, response } = await requestModel(turn, stream, previewer(ids, show), signal);
  stageAnswer(turn, startId, response, ids);
}

/**
 * Opens a request in the log and makes it. The commit and the request run side by side: time to the first token does not
 * wait for the disk, and nothing of the answer is committed before the start is.
 * @throws ModelError, LeaseLostError, or the signal's reason; the request is then still open in the log
 */
export async function requestModel(
  turn: Turn,
  stream: StreamModel,
  onEvent: (event: ModelStreamEvent) => void,
  signal: AbortSignal,
): Promise<{ startId: string; response: ModelResponse }> {
  const start = turn.stage({ type: "span.model_request_start" });
  const committed = turn.commit();
  const [response] = await Promise.all([consume(stream(signal), onEvent), committed]).catch(async (error: unknown) => {
    await committed; // Nothing may be staged while a commit is under way.
    throw error;
  });
  return { startId: start.id, response };
}

/** Closes a request that gave no answer: it failed, was stopped, or its harness died. */
export function stageUnanswered(turn: Turn, startId: string, isError: boolean): void {
  turn.stage({
    type: "span.model_request_end",
    model_request_start_id: startId,
    is_error: isError,
    model_usage: NO_USAGE,
  });
}

async function consume(
  events: AsyncIterable<ModelStreamEvent>,
  onEvent: (event: ModelStreamEvent) => void,
): Promise<ModelResponse> {
  let response: ModelResponse | null = null;
  for await (const event of events) {
    if (event.type === "response") response = event.response;
    else onEvent(event);
  }
  if (!response) throw new TypeError("A model provider ended its stream without a response.");
  return response;
}

function stageAnswer(
  turn: Turn,
  startId: string,
  response: ModelResponse,
  ids: { messageId: string; thinkingId: string },
): void {
  const content = response.content.map((block) =>
    block.type === "tool_use" ? { ...block, id: newId("sevt") } : block,
  );
  const texts = content.filter((block) => block.type === "text" && block.text.trim() !== "");
  if (content.some((block) => block.type === "thinking")) turn.stage({ type: "agent.thinking", id: ids.thinkingId });
  if (texts.length > 0) {
    const blocks = texts.flatMap((block) => (block.type === "text" ? [block] : []));
    turn.stage({ type: "agent.message", id: ids.messageId, content: blocks });
  }
  const answer: ModelAnswer = { content };
  turn.stage(
    {
      type: "span.model_request_end",
      model_request_start_id: startId,
      is_error: false,
      model_usage: response.usage,
    },
    answer,
  );
  for (const block of content) {
    if (block.type !== "tool_use") continue;
    turn.stage({
      type: "agent.tool_use",
      id: block.id,
      name: block.name,
      input: isRecord(block.input) ? block.input : { value: block.input },
      evaluated_permission: "allow",
      evaluation: { type: "always_allow" },
    });
  }
}

/** Turns a stream's events into frames: a start, then deltas whose index counts text blocks. */
function previewer(
  { messageId, thinkingId }: { messageId: string; thinkingId: string },
  show: ShowPreview,
): (event: ModelStreamEvent) => void {
  const started = new Set<string>();
  const start = (type: "agent.message" | "agent.thinking", id: string) => {
    if (started.has(id)) return;
    started.add(id);
    show({ type: "event_start", event: { type, id } });
  };
  return (event) => {
    if (event.type === "thinking") start("agent.thinking", thinkingId);
    if (event.type !== "text") return;
    start("agent.message", messageId);
    show({
      type: "event_delta",
      event_id: messageId,
      delta: { type: "content_delta", index: event.index, content: { type: "text", text: event.text } },
    });
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
