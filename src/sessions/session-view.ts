import { z } from "zod";
import type { Session as StoredSession, SessionResource as ResourceRow } from "../generated/client.ts";
import { SessionAgent } from "../schemas/agent.ts";
import { Metadata } from "../schemas/primitives.ts";
import { SessionUsage } from "../schemas/event.ts";
import { RepositorySettings, type SessionResource } from "../schemas/resource.ts";
import { type Session, SessionStatus } from "../schemas/session.ts";
import { type CountedUsage, INITIAL_STATE, usageAt } from "./transition.ts";

export type SessionRow = StoredSession & { resources: ResourceRow[] };

const { token_nanocents, runtime_nanocents_per_hour } = INITIAL_STATE.usage;
/** Rows from before costs were counted lack them. */
export const StoredUsage = SessionUsage.omit({ active_seconds: true, list_cost: true }).extend({
  token_nanocents: z.int().default(token_nanocents),
  runtime_nanocents_per_hour: z.int().default(runtime_nanocents_per_hour),
}) satisfies z.ZodType<CountedUsage>;

/** A session as the wire shows it at `now`. Pure. */
export function toSession(row: SessionRow, now: Date): Session {
  const runningSince = row.runningSince?.toISOString() ?? null;
  const usage = usageAt({ usage: StoredUsage.parse(row.usage), activeMs: row.activeMs, runningSince }, now);
  const status = SessionStatus.parse(row.status);
  return {
    id: row.id,
    type: "session",
    status,
    agent: SessionAgent.parse(row.agent),
    environment_id: row.environmentId,
    title: row.title,
    metadata: Metadata.parse(row.metadata),
    resources: row.resources.toSorted(byCreation).map(toResource),
    usage,
    stats: {
      active_seconds: usage.active_seconds,
      duration_seconds: durationSeconds(row, now),
    },
    budget: null,
    outcome_evaluations: [],
    vault_ids: row.vaultIds,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
    archived_at: row.archivedAt?.toISOString() ?? null,
  };
}

/** Since it was created, until it ended. */
export function durationSeconds({ status, createdAt, updatedAt }: StoredSession, now: Date): number {
  const until = status === "terminated" ? updatedAt : now;
  // The clocks of the database and of this process may differ a little.
  return Math.max(0, until.getTime() - createdAt.getTime()) / 1000;
}

/** Not left to the database: how it compares ids depends on its locale. */
function byCreation(a: ResourceRow, b: ResourceRow): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1);
}

export function toResource(row: ResourceRow): SessionResource {
  const shared = {
    id: row.id,
    mount_path: row.mountPath,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
  if (row.repository !== null) {
    const { url, checkout } = RepositorySettings.parse(row.repository);
    return { ...shared, type: "github_repository", url, checkout };
  }
  if (row.fileId === null) throw new Error(`resource ${row.id} is neither a file nor a repository`);
  return { ...shared, type: "file", file_id: row.fileId };
}
