import { z } from "zod";
import { Metadata, Timestamp } from "./primitives.ts";
import { ClientResultBlock, ContentBlock, TextBlock } from "./content.ts";

/** Token counts of one model request; `input_tokens` excludes what the cache served or took in. */
export const ModelUsage = z.object({
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  cache_creation_input_tokens: z.number().int(),
  cache_read_input_tokens: z.number().int(),
});
export type ModelUsage = z.infer<typeof ModelUsage>;

export const StopReason = z.discriminatedUnion("type", [
  z.object({ type: z.literal("end_turn") }),
  z.object({ type: z.literal("requires_action"), event_ids: z.array(z.string()) }),
  z.object({ type: z.literal("retries_exhausted") }),
  z.object({ type: z.literal("refusal") }),
]);
export type StopReason = z.infer<typeof StopReason>;

const RefusalCategory = z.enum(["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"]);

const StopDetails = z
  .object({ type: z.literal("refusal"), category: RefusalCategory.nullable(), explanation: z.string().nullable() })
  .nullable();

/** `amount` counts cents, in decimal digits. */
export const MonetaryAmount = z.object({ amount: z.string(), currency: z.literal("USD") });
export type MonetaryAmount = z.infer<typeof MonetaryAmount>;

export const SessionUsage = z.object({
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  cache_read_input_tokens: z.number().int(),
  cache_creation: z.object({
    ephemeral_5m_input_tokens: z.number().int(),
    ephemeral_1h_input_tokens: z.number().int(),
  }),
  active_seconds: z.number(),
  /** At list price, model requests and runtime together. Events that were written before it was counted lack it. */
  list_cost: MonetaryAmount.optional(),
});
export type SessionUsage = z.infer<typeof SessionUsage>;

const errorFields = {
  message: z.string(),
  retry_status: z.object({ type: z.enum(["retrying", "exhausted", "terminal"]) }),
};

/** Of the turn, or of the whole session. */
const TurnError = z.object({
  type: z.enum([
    "unknown_error",
    "model_overloaded_error",
    "model_rate_limited_error",
    "model_request_failed_error",
    "billing_error",
    "tool_use_limit_reached_error",
    "compaction_limit_reached_error",
  ]),
  ...errorFields,
});
export type TurnErrorDetail = z.infer<typeof TurnError>;

/** Of a repository that could not be put into the sandbox: the session goes on without it. */
const RepositoryError = z.object({
  type: z.enum([
    "repository_authentication_error",
    "repository_forbidden_error",
    "repository_not_found_error",
    "repository_checkout_error",
    "repository_clone_error",
  ]),
  repository_url: z.string().nullable(),
  ...errorFields,
});
export type RepositoryErrorDetail = z.infer<typeof RepositoryError>;

/** Of a credential that can do nothing at hosts the environment does not let the sandbox reach. */
const CredentialHostError = z.object({
  type: z.literal("credential_host_unreachable_error"),
  credential_id: z.string(),
  vault_id: z.string(),
  ...errorFields,
});

export const SessionErrorDetail = z.discriminatedUnion("type", [TurnError, RepositoryError, CredentialHostError]);
export type SessionErrorDetail = z.infer<typeof SessionErrorDetail>;

const ToolEvaluation = z.object({ type: z.enum(["always_allow", "always_ask"]) });

/** A committed event: it has its place in the log, so it was processed. */
const committed = <Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ id: z.string(), type: z.literal(type), processed_at: Timestamp, ...shape });

const threadFields = { agent_name: z.string(), session_thread_id: z.string() };
const idleFields = { stop_reason: StopReason, stop_details: StopDetails };
const resultFields = { tool_use_id: z.string(), content: z.array(ContentBlock), is_error: z.boolean() };

const userMessageFields = { content: z.array(ContentBlock).min(1).max(1000) };
const userInterruptFields = { session_thread_id: z.string().nullable().optional() };
const confirmationFields = {
  /** Id of the `agent.tool_use` event. */
  tool_use_id: z.string().min(1),
  result: z.enum(["allow", "deny"]),
  deny_message: z.string().nullable().optional(),
};

const customResultFields = {
  /** Id of the `agent.custom_tool_use` event. */
  custom_tool_use_id: z.string().min(1),
  content: z.array(ClientResultBlock).max(1000).optional(),
  is_error: z.boolean().nullable().optional(),
};

/** How far the image with an environment's packages is, while a session waits for it. Not shown to the model. */
export const EnvironmentBuild = z.object({
  environment_id: z.string(),
  status: z.enum(["started", "running", "finished", "failed"]),
  /** What is being installed, in words; null where the status says it all. */
  step: z.string().nullable(),
});
export type EnvironmentBuild = z.infer<typeof EnvironmentBuild>;

/** Every event that this version writes, exactly as the API shows it and as the log stores it. */
export const SessionEvent = z
  .discriminatedUnion("type", [
    committed("user.message", userMessageFields),
    committed("user.interrupt", userInterruptFields),
    committed("user.tool_confirmation", confirmationFields),
    committed("user.custom_tool_result", customResultFields),
    committed("agent.message", { content: z.array(TextBlock) }),
    committed("agent.thinking", {}),
    committed("agent.tool_use", {
      name: z.string(),
      input: z.record(z.string(), z.unknown()),
      evaluated_permission: z.enum(["allow", "ask", "deny"]).optional(),
      evaluation: ToolEvaluation.optional(),
    }),
    committed("agent.tool_result", resultFields),
    committed("agent.custom_tool_use", { name: z.string(), input: z.record(z.string(), z.unknown()) }),
    committed("agent.thread_context_compacted", {}),
    committed("session.status_running", {}),
    committed("session.status_idle", idleFields),
    committed("session.status_rescheduled", {}),
    committed("session.status_terminated", {}),
    committed("session.thread_status_running", threadFields),
    committed("session.thread_status_idle", { ...threadFields, ...idleFields }),
    committed("session.thread_status_rescheduled", threadFields),
    committed("session.thread_status_terminated", threadFields),
    committed("session.usage", { usage: SessionUsage, budget: z.null() }),
    committed("session.error", { error: SessionErrorDetail }),
    // Only what changed; metadata is the whole of it, and left out when nothing is left of it.
    committed("session.updated", {
      title: z.string().nullable().optional(),
      metadata: Metadata.optional(),
      /** Our extension, as is changing them. */
      vault_ids: z.array(z.string()).optional(),
    }),
    committed("session.deleted", {}),
    committed("span.model_request_start", {}),
    committed("span.model_request_end", {
      model_request_start_id: z.string(),
      is_error: z.boolean().nullable(),
      model_usage: ModelUsage,
    }),
    // Our own: a client of the hosted API meets a type that it does not know, as it has to expect of any new one.
    committed("deckhand.environment_build", EnvironmentBuild.shape),
  ])
  .meta({ id: "SessionEvent" });
export type SessionEvent = z.infer<typeof SessionEvent>;
export type SessionEventType = SessionEvent["type"];
export type EventOf<Type extends SessionEventType> = Extract<SessionEvent, { type: Type }>;

/** What a client may send. */
export const EventParams = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("user.message"), ...userMessageFields }),
  z.strictObject({ type: z.literal("user.interrupt"), ...userInterruptFields }),
  z
    .strictObject({ type: z.literal("user.tool_confirmation"), ...confirmationFields })
    .refine(({ result, deny_message }) => result === "deny" || deny_message === undefined || deny_message === null, {
      path: ["deny_message"],
      message: "is only allowed when `result` is `deny`",
    }),
  z.strictObject({ type: z.literal("user.custom_tool_result"), ...customResultFields }),
]);
export type EventParams = z.infer<typeof EventParams>;

/** An event a client sent that the harness has not taken up yet: it waits in the session's inbox, without a place in the log. */
export const QueuedEvent = z.discriminatedUnion("type", [
  z.object({ id: z.string(), type: z.literal("user.message"), processed_at: z.null(), ...userMessageFields }),
  z.object({ id: z.string(), type: z.literal("user.interrupt"), processed_at: z.null(), ...userInterruptFields }),
  z.object({
    id: z.string(),
    type: z.literal("user.tool_confirmation"),
    processed_at: z.null(),
    ...confirmationFields,
  }),
  // Counts as processed once it is received, though it waits here like the others.
  committed("user.custom_tool_result", customResultFields),
]);
export type QueuedEvent = z.infer<typeof QueuedEvent>;

/** What the call that it names waits for. */
export type AnswerToCall = Extract<QueuedEvent, { type: "user.tool_confirmation" | "user.custom_tool_result" }>;

export function answersCall(event: QueuedEvent): event is AnswerToCall {
  return event.type === "user.tool_confirmation" || event.type === "user.custom_tool_result";
}

/** Ephemeral frames of a stream that asked for `event_deltas`: never stored, no id of their own. */
export const EventPreview = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("event_start"),
    event: z.object({ type: z.enum(["agent.message", "agent.thinking"]), id: z.string() }),
  }),
  z.object({
    type: z.literal("event_delta"),
    event_id: z.string(),
    delta: z.object({
      type: z.literal("content_delta"),
      index: z.number().int(),
      content: z.object({ type: z.literal("text"), text: z.string() }),
    }),
  }),
]);
export type EventPreview = z.infer<typeof EventPreview>;
