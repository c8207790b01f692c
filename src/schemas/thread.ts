import { z } from "zod";
import { SessionAgent } from "./agent.ts";
import { PageQuery, QueryList, Timestamp } from "./primitives.ts";
import { SessionUsage } from "./event.ts";
import { SessionStatus } from "./session.ts";

/** A session's thread of execution: every session has the primary one. */
export const SessionThread = z
  .object({
    id: z.string(),
    type: z.literal("session_thread"),
    session_id: z.string(),
    /** Null for the primary thread. */
    parent_thread_id: z.string().nullable(),
    workflow_run_id: z.string().nullable(),
    agent: SessionAgent.omit({ multiagent: true }),
    status: SessionStatus,
    /** Without the price of runtime, which the session bears. Null until the thread was idle for the first time. */
    usage: SessionUsage.nullable(),
    /** Null until the thread's first change of status. */
    stats: z
      .object({
        active_seconds: z.number(),
        duration_seconds: z.number(),
        /** From its making until it ran. */
        startup_seconds: z.number().optional(),
      })
      .nullable(),
    created_at: Timestamp,
    updated_at: Timestamp,
    archived_at: Timestamp.nullable(),
  })
  .meta({ id: "SessionThread" });
export type SessionThread = z.infer<typeof SessionThread>;

const STATUSES_MAX = 100;

export const ThreadListQuery = PageQuery.extend({ statuses: QueryList(SessionStatus, STATUSES_MAX).optional() });
export type ThreadListQuery = z.infer<typeof ThreadListQuery>;

export const ThreadEventListQuery = PageQuery.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type ThreadEventListQuery = z.infer<typeof ThreadEventListQuery>;
