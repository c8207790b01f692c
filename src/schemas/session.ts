import { z } from "zod";
import { AgentVersion, SessionAgent, SessionAgentParams } from "./agent.ts";
import { Metadata, PageQuery, QueryBoolean, QueryList, QueryTimestamp, Timestamp } from "./primitives.ts";
import { EventParams, SessionUsage } from "./event.ts";
import { ResourceParams, SessionResource } from "./resource.ts";

export const SessionStatus = z.enum(["idle", "running", "rescheduling", "terminated"]);
export type SessionStatus = z.infer<typeof SessionStatus>;

const TITLE_CHARS_MAX = 512;
const RESOURCES_MAX = 500;
const INITIAL_EVENTS_MAX = 50;
const VAULTS_MAX = 50;

/** In order: of two vaults with a credential for the same thing, the first counts. */
const VaultIds = z
  .array(z.string().min(1))
  .max(VAULTS_MAX)
  .refine((ids) => new Set(ids).size === ids.length, { message: "must not name a vault twice" });

export const SessionCreateParams = z
  .strictObject({
    agent: SessionAgentParams,
    environment_id: z.string().min(1),
    title: z.string().max(TITLE_CHARS_MAX).nullish(),
    metadata: Metadata.optional(),
    resources: z.array(ResourceParams).max(RESOURCES_MAX).optional(),
    initial_events: z.array(EventParams.options[0]).max(INITIAL_EVENTS_MAX).optional(),
    vault_ids: VaultIds.optional(),
    budget: z.null().optional(),
  })
  .meta({ id: "SessionCreateParams" });
export type SessionCreateParams = z.infer<typeof SessionCreateParams>;

/** Fields of the API that this server can't change yet are refused, so that nobody is misled. */
export const SessionUpdateParams = z
  .strictObject({
    title: z.string().max(TITLE_CHARS_MAX).nullish(),
    /** A patch: a key that is null is deleted. */
    metadata: z.record(z.string(), z.string().nullable()).nullish(),
    agent: z.never({ error: "This server can't change a session's agent yet; create a session" }).optional(),
    budget: z
      .null({ error: "budget_create_only: a budget can't be added to a session that was created without one" })
      .optional(),
    /** Our extension: takes the place of those named before, for tools from the next turn on. */
    vault_ids: VaultIds.optional(),
  })
  .meta({ id: "SessionUpdateParams" });
export type SessionUpdateParams = z.infer<typeof SessionUpdateParams>;

export const Session = z
  .object({
    id: z.string(),
    type: z.literal("session"),
    status: SessionStatus,
    agent: SessionAgent,
    environment_id: z.string(),
    title: z.string().nullable(),
    metadata: Metadata,
    resources: z.array(SessionResource),
    usage: SessionUsage,
    stats: z.object({ active_seconds: z.number(), duration_seconds: z.number() }),
    budget: z.null(),
    outcome_evaluations: z.array(z.never()),
    vault_ids: z.array(z.string()),
    created_at: Timestamp,
    updated_at: Timestamp,
    archived_at: Timestamp.nullable(),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof Session>;

const STATUSES_MAX = 100;
const TYPES_MAX = 100;
const DELTAS_MAX = 100;
const Order = z.enum(["asc", "desc"]);

export const SessionListQuery = PageQuery.extend({
  agent_id: z.string().optional(),
  agent_version: z.coerce.number().pipe(AgentVersion).optional(),
  "created_at[gt]": QueryTimestamp.optional(),
  "created_at[gte]": QueryTimestamp.optional(),
  "created_at[lt]": QueryTimestamp.optional(),
  "created_at[lte]": QueryTimestamp.optional(),
  include_archived: QueryBoolean.optional(),
  order: Order.default("desc"),
  statuses: QueryList(SessionStatus, STATUSES_MAX).optional(),
  /** No session of this version has either, so these list none. */
  deployment_id: z.string().optional(),
  memory_store_id: z.string().optional(),
});
export type SessionListQuery = z.infer<typeof SessionListQuery>;

export const EventListQuery = PageQuery.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  order: Order.default("asc"),
  types: QueryList(z.string(), TYPES_MAX).optional(),
  "created_at[gt]": QueryTimestamp.optional(),
  "created_at[gte]": QueryTimestamp.optional(),
  "created_at[lt]": QueryTimestamp.optional(),
  "created_at[lte]": QueryTimestamp.optional(),
});
export type EventListQuery = z.infer<typeof EventListQuery>;

export const EventStreamQuery = z.object({
  event_deltas: QueryList(z.enum(["agent.message", "agent.thinking"]), DELTAS_MAX).default([]),
});
export type EventStreamQuery = z.infer<typeof EventStreamQuery>;

const EVENTS_SENT_MAX = 1000;

export const EventSendParams = z
  .strictObject({ events: z.array(EventParams).min(1).max(EVENTS_SENT_MAX) })
  .meta({ id: "EventSendParams" });
export type EventSendParams = z.infer<typeof EventSendParams>;
