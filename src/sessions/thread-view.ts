import type { Session as StoredSession } from "../generated/client.ts";
import { SessionAgent } from "../schemas/agent.ts";
import { SessionStatus } from "../schemas/session.ts";
import type { SessionThread } from "../schemas/thread.ts";
import { durationSeconds, StoredUsage } from "./session-view.ts";
import { usageAt } from "./transition.ts";

/** What the log says of a thread's past; null for what has not happened yet. */
export interface ThreadHistory {
  /** Its first change of status. */
  changedAt: Date | null;
  ranAt: Date | null;
  idledAt: Date | null;
}

/** A session's primary thread as the wire shows it at `now`. Pure. */
export function toPrimaryThread(row: StoredSession, history: ThreadHistory, now: Date): SessionThread {
  const { multiagent: _, ...agent } = SessionAgent.parse(row.agent);
  const usage = usageAt(
    {
      // What runtime costs is the session's: several threads may share the time.
      usage: { ...StoredUsage.parse(row.usage), runtime_nanocents_per_hour: 0 },
      activeMs: row.activeMs,
      runningSince: row.runningSince?.toISOString() ?? null,
    },
    now,
  );
  const stats = {
    active_seconds: usage.active_seconds,
    duration_seconds: durationSeconds(row, now),
    ...(history.ranAt && { startup_seconds: secondsBetween(row.createdAt, history.ranAt) }),
  };
  return {
    id: row.threadId,
    type: "session_thread",
    session_id: row.id,
    parent_thread_id: null,
    workflow_run_id: null,
    agent,
    status: SessionStatus.parse(row.status),
    usage: history.idledAt && usage,
    stats: history.changedAt && stats,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    archived_at: row.archivedAt?.toISOString() ?? null,
  };
}

/** The clocks of the database and of a process may differ a little. */
const secondsBetween = (from: Date, to: Date) => Math.max(0, to.getTime() - from.getTime()) / 1000;
