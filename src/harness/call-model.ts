import { newId } from "../ids.ts";
import { isBrokenInput } from "../models/broken-input.ts";
import { type ModelPrice, requestCostNanocents } from "../models/model-price.ts";
import type { ModelResponse, ModelStreamEvent, ModelToolUse } from "../models/model-provider.ts";
import type { EventPreview, ModelUsage } from "../schemas/event.ts";
import type { RequestCost } from "../sessions/list-cost.ts";
import type { ModelAnswer } from "./replay.ts";
import { evaluateCall, isCustom } from "./toolset.ts";
import type { Turn } from "./turn.ts";

const NO_USAGE: ModelUsage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

type StampedContent = (
  | Exclude<ModelResponse["content"][number], { type: "tool_use" }>
  | (ModelToolUse & { input: Record<string, unknown> })
)[];

/** Starts the one request that a step makes, on the provider of the session's model. */
export type StreamModel = (signal: AbortSignal) => AsyncIterable<ModelStreamEvent>;
export interface AskedModel {
  stream: StreamModel;
  price: ModelPrice | null;
}
/** `frame` numbers the previews of one event from 0, so that a gap can be told. */
export type ShowPreview = (preview: EventPreview, frame: number) => void;

/**
 * Makes one model request and stages what came of it for the log.
 * @throws as `requestModel`
 */
export async function callModel(
  turn: Turn,
  { stream, price }: AskedModel,
  show: ShowPreview,
  signal: AbortSignal,
): Promise<void> {
  const ids = { messageId: newId("sevt"), thinkingId: newId("sevt") };
  const { startId, response } = await requestModel(turn, stream, previewer(ids, show), signal);
  stageAnswer(turn, startId, response, { ...ids, price });
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
  const failed = new AbortController();
  const committed = turn.commit();
  // Without a start in the log nobody may see, or pay for, the answer.
  committed.catch((error: unknown) => failed.abort(error));
  const answered = consume(stream(AbortSignal.any([signal, failed.signal])), onEvent);
  const [response] = await Promise.all([answered, committed]).catch(async (error: unknown) => {
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
  { price, ...ids }: { messageId: string; thinkingId: string; price: ModelPrice | null },
): void {
  const content = replayable(response.content);
  const texts = content.flatMap((block) => (block.type === "text" ? [block] : []));
  if (response.content.some((block) => block.type === "thinking")) {
    turn.stage({ type: "agent.thinking", id: ids.thinkingId });
  }
  if (texts.length > 0) turn.stage({ type: "agent.message", id: ids.messageId, content: texts });
  const answer: ModelAnswer & Partial<RequestCost> = {
    content,
    ...(response.stopReason === "refusal" && { refused: true as const }),
    ...(price && { cost_nanocents: requestCostNanocents(price, response.usage) }),
  };
  turn.stage(
    {
      type: "span.model_request_end",
      model_request_start_id: startId,
      is_error: false,
      model_usage: response.usage,
    },
    answer,
  );
  const given = response.content.filter((block) => block.type === "tool_use");
  for (const [index, { id, name, input }] of content.filter((block) => block.type === "tool_use").entries()) {
    // Broken arguments are not for a client to see: the harness refuses them, as it does for its own tools.
    const isClients = isCustom(turn.lease.agent, name) && !isBrokenInput(given[index]?.input);
    if (isClients) turn.stage({ type: "agent.custom_tool_use", id, name, input });
    else turn.stage({ type: "agent.tool_use", id, name, input, ...evaluateCall(turn.lease.agent, name, input) });
  }
}

/**
 * The answer in a form that a model API takes back: no blank text, no thinking without something that follows from it, an
 * object for every call's input. Calls get the ids of their events.
 */
function replayable(content: ModelResponse["content"]): StampedContent {
  const kept = content.flatMap((block): StampedContent => {
    if (block.type === "text") return block.text.trim() === "" ? [] : [block];
    if (block.type === "thinking") return [block];
    return [{ ...block, id: newId("sevt"), input: isRecord(block.input) ? block.input : { value: block.input } }];
  });
  return kept.slice(0, kept.findLastIndex((block) => block.type !== "thinking") + 1);
}

/**
 * Turns a stream's events into frames: a start, then deltas whose index counts the text blocks of the message. A block
 * that stays blank is none of those, so its beginning is held back until there is something to see.
 */
function previewer(
  { messageId, thinkingId }: { messageId: string; thinkingId: string },
  show: ShowPreview,
): (event: ModelStreamEvent) => void {
  const frames = new Map<string, number>();
  const held = new Map<number, string>();
  const places = new Map<number, number>();
  const send = (id: string, preview: EventPreview) => {
    const frame = frames.get(id) ?? 0;
    frames.set(id, frame + 1);
    show(preview, frame);
  };
  const start = (type: "agent.message" | "agent.thinking", id: string) => {
    if (!frames.has(id)) send(id, { type: "event_start", event: { type, id } });
  };
  return (event) => {
    if (event.type === "thinking") start("agent.thinking", thinkingId);
    if (event.type !== "text") return;
    const text = (held.get(event.index) ?? "") + event.text;
    const index = places.get(event.index) ?? places.size;
    if (!places.has(event.index) && text.trim() === "") return void held.set(event.index, text);
    places.set(event.index, index);
    held.delete(event.index);
    start("agent.message", messageId);
    const delta = { type: "content_delta" as const, index, content: { type: "text" as const, text } };
    send(messageId, { type: "event_delta", event_id: messageId, delta });
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
