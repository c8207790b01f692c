import { isDeepStrictEqual } from "node:util";
import type pg from "pg";
import { invalid, notFound } from "../errors.ts";
import { newId } from "../ids.ts";
import { patchMetadata } from "../metadata-patch.ts";
import type { EventOf } from "../schemas/event.ts";
import { Metadata } from "../schemas/primitives.ts";
import type { SessionUpdateParams } from "../schemas/session.ts";
import { inTransaction } from "./in-transaction.ts";
import { toJsonb } from "./jsonb.ts";
import type { Wakeups } from "./wakeups.ts";

const LOCK = `
SELECT title, metadata, vault_ids, (archived_at IS NOT NULL OR status = 'terminated') AS ended
FROM sessions WHERE id = $1 AND workspace_id = $2 FOR UPDATE`;

/** Needs no lease: it takes the next seq under the row's lock, as every append does. */
const UPDATE = `
WITH session AS (
  UPDATE sessions SET title = $2, metadata = $3, vault_ids = $8, last_seq = last_seq + 1, updated_at = now()
  WHERE id = $1 RETURNING last_seq, thread_id
)
INSERT INTO events (session_id, seq, id, thread_id, type, payload, processed_at)
SELECT $1, last_seq, $4::text, thread_id, $5::text, $6::jsonb, $7::timestamptz FROM session`;

/** What clients may change of a session. */
interface Changeable {
  title: string | null;
  metadata: Metadata;
  vault_ids: string[];
}

interface LockedRow {
  title: string | null;
  metadata: unknown;
  vault_ids: string[];
  ended: boolean;
}

/**
 * Changes a session's title, metadata and vaults, and logs a `session.updated` with it; neither when nothing would change.
 * Whether the vaults can be used is the caller's to check.
 * @throws AppError `not_found`, also for another workspace's session; `invalid_request` for an archived or terminated one
 *   and for metadata beyond its limits
 */
export async function updateSession(
  pool: pg.Pool,
  wakeups: Pick<Wakeups, "publish">,
  { workspaceId, sessionId }: { workspaceId: string; sessionId: string },
  params: SessionUpdateParams,
): Promise<void> {
  const changed = await inTransaction(pool, async (client) => {
    const { rows } = await client.query<LockedRow>(LOCK, [sessionId, workspaceId]);
    const row = rows[0];
    if (!row) throw notFound("Session", sessionId);
    if (row.ended) throw invalid(`Session \`${sessionId}\` is archived or terminated and can't be changed.`);
    const before = { title: row.title, metadata: Metadata.parse(row.metadata), vault_ids: row.vault_ids };
    const after = patched(before, params);
    const changes = changesBetween(before, after);
    if (!changes) return false;
    const event = updatedEvent(changes);
    await client.query(UPDATE, [
      sessionId,
      after.title,
      toJsonb(after.metadata),
      event.id,
      event.type,
      toJsonb(event),
      event.processed_at,
      after.vault_ids,
    ]);
    return true;
  });
  if (changed) wakeups.publish({ sessionId });
}

/**
 * What a patch makes of it. Pure.
 * @throws AppError `invalid_request` for metadata beyond its limits
 */
function patched(before: Changeable, { title, metadata, vault_ids }: SessionUpdateParams): Changeable {
  return {
    title: title === undefined ? before.title : title,
    metadata: patchMetadata(before.metadata, metadata),
    vault_ids: vault_ids ?? before.vault_ids,
  };
}

/** What differs, each as it is afterwards; null when nothing does. Pure. */
function changesBetween(before: Changeable, after: Changeable): Partial<Changeable> | null {
  const changes = {
    ...(after.title !== before.title && { title: after.title }),
    ...(!isDeepStrictEqual(after.metadata, before.metadata) && { metadata: after.metadata }),
    ...(!isDeepStrictEqual(after.vault_ids, before.vault_ids) && { vault_ids: after.vault_ids }),
  };
  return Object.keys(changes).length === 0 ? null : changes;
}

/** Metadata of which nothing is left is not in the event: that is how the wire has it. */
function updatedEvent({ metadata, ...changes }: Partial<Changeable>): EventOf<"session.updated"> {
  const shown = metadata && Object.keys(metadata).length > 0 ? { metadata } : {};
  return {
    id: newId("sevt"),
    type: "session.updated",
    processed_at: new Date().toISOString(),
    ...changes,
    ...shown,
  };
}
