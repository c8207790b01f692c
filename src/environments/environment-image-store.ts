import type pg from "pg";
import { z } from "zod";
import type { NetworkingPolicy } from "../gateway/sandbox-policy.ts";
import { EnvironmentConfig } from "../schemas/environment.ts";

export interface ShapedEnvironment {
  id: string;
  workspaceId: string;
  config: EnvironmentConfig;
}

/** Who builds an image now, in this one attempt. */
export interface ImageClaim {
  hash: string;
  /** Names the attempt, its container and its socket at the gateway. */
  slot: string;
}

export interface NewClaim extends ImageClaim {
  workspaceId: string;
  /** The process. */
  builder: string;
  networking: NetworkingPolicy;
  leaseMs: number;
}

export interface ImageProgress {
  status: "building" | "ready" | "failed";
  step: string | null;
  error: string | null;
  /** Its builder has given no sign of life for as long as its lease. */
  abandoned: boolean;
}

export interface EnvironmentImageStore {
  environmentOf(session: { sessionId: string; workspaceId: string }): Promise<ShapedEnvironment | null>;
  environment(workspaceId: string, id: string): Promise<ShapedEnvironment | null>;
  /** All that say something of packages, archived ones too: their sessions go on. */
  environments(): Promise<ShapedEnvironment[]>;

  find(hash: string): Promise<ImageProgress | null>;
  /**
   * Makes the caller the one that builds it. False while another one does; also when it has failed or is ready, unless
   * `again`.
   */
  claim(claim: NewClaim, options: { again: boolean }): Promise<boolean>;
  /** False when another one has claimed it. */
  renew(claim: ImageClaim, leaseMs: number): Promise<boolean>;
  setStep(claim: ImageClaim, step: string): Promise<void>;
  /** No effect when another one has claimed it. */
  finish(claim: ImageClaim, end: { image: string } | { error: string }): Promise<void>;
  /** For a build that was broken off: whoever wants the image may claim it at once. */
  release(claim: ImageClaim): Promise<void>;
  /** Notes that it is wanted, for an image that the engine has. */
  used(image: { hash: string; workspaceId: string; image: string }): Promise<void>;

  /** Of these, the ones that are being built. */
  liveSlots(slots: string[]): Promise<string[]>;
  /** Of these, the ones that are being built or were used since. */
  usedSince(hashes: string[], maxAgeMs: number): Promise<string[]>;
  forget(hashes: string[]): Promise<void>;
}

const EnvironmentRow = z.object({ id: z.string(), workspaceId: z.string(), config: EnvironmentConfig });
const ENVIRONMENT = `environments.id, environments.workspace_id AS "workspaceId", environments.config`;
const LIVE = "status = 'building' AND builder_until > now()";

export function createEnvironmentImageStore(pool: pg.Pool): EnvironmentImageStore {
  const environments = async (text: string, values: unknown[]): Promise<ShapedEnvironment[]> => {
    const { rows } = await pool.query(text, values);
    return z.array(EnvironmentRow).parse(rows);
  };
  const ours = (text: string, { hash, slot }: ImageClaim, ...values: unknown[]) =>
    pool.query(`UPDATE environment_images SET ${text}, updated_at = now() WHERE hash = $1 AND gateway_id = $2`, [
      hash,
      slot,
      ...values,
    ]);

  return {
    async environmentOf({ sessionId, workspaceId }) {
      const [found] = await environments(
        `SELECT ${ENVIRONMENT} FROM sessions
         JOIN environments ON environments.id = sessions.environment_id AND environments.workspace_id = sessions.workspace_id
         WHERE sessions.id = $1 AND sessions.workspace_id = $2`,
        [sessionId, workspaceId],
      );
      return found ?? null;
    },

    async environment(workspaceId, id) {
      const text = `SELECT ${ENVIRONMENT} FROM environments WHERE id = $1 AND workspace_id = $2`;
      const [found] = await environments(text, [id, workspaceId]);
      return found ?? null;
    },

    environments: () =>
      environments(`SELECT ${ENVIRONMENT} FROM environments WHERE (config->'packages') - 'type' @? '$.*[*]'`, []),

    async find(hash) {
      const { rows } = await pool.query<ImageProgress>(
        `SELECT status, step, error, status = 'building' AND builder_until <= now() AS abandoned
         FROM environment_images WHERE hash = $1`,
        [hash],
      );
      return rows[0] ?? null;
    },

    async claim({ hash, slot, workspaceId, builder, networking, leaseMs }, { again }) {
      const { rowCount } = await pool.query(
        `INSERT INTO environment_images AS image (hash, workspace_id, status, builder, builder_until, gateway_id, networking)
         VALUES ($1, $2, 'building', $3, now() + $4 * interval '1 ms', $5, $6)
         ON CONFLICT (hash) DO UPDATE
         SET status = 'building', builder = excluded.builder, builder_until = excluded.builder_until,
           gateway_id = excluded.gateway_id, networking = excluded.networking,
           image = NULL, step = NULL, error = NULL, updated_at = now()
         WHERE CASE WHEN image.status = 'building' THEN image.builder_until <= now() ELSE $7 END`,
        [hash, workspaceId, builder, leaseMs, slot, JSON.stringify(networking), again],
      );
      return rowCount === 1;
    },

    async renew(claim, leaseMs) {
      const { rowCount } = await ours("builder_until = now() + $3 * interval '1 ms'", claim, leaseMs);
      return rowCount === 1;
    },

    async setStep(claim, step) {
      await ours("step = $3", claim, step);
    },

    async finish(claim, end) {
      const values = "image" in end ? ["ready", end.image, null] : ["failed", null, end.error];
      const text = "status = $3, image = $4, error = $5, step = NULL, gateway_id = NULL, builder_until = NULL";
      await ours(`${text}, used_at = now()`, claim, ...values);
    },

    async release(claim) {
      await ours("builder_until = now(), gateway_id = NULL", claim);
    },

    async used({ hash, workspaceId, image }) {
      await pool.query(
        `INSERT INTO environment_images (hash, workspace_id, status, image) VALUES ($1, $2, 'ready', $3)
         ON CONFLICT (hash) DO UPDATE SET used_at = now()`,
        [hash, workspaceId, image],
      );
    },

    async liveSlots(slots) {
      const { rows } = await pool.query<{ slot: string }>(
        `SELECT gateway_id AS slot FROM environment_images WHERE gateway_id = ANY($1) AND ${LIVE}`,
        [slots],
      );
      return rows.map(({ slot }) => slot);
    },

    async usedSince(hashes, maxAgeMs) {
      const { rows } = await pool.query<{ hash: string }>(
        `SELECT hash FROM environment_images
         WHERE hash = ANY($1) AND (${LIVE} OR used_at > now() - $2 * interval '1 ms')`,
        [hashes, maxAgeMs],
      );
      return rows.map(({ hash }) => hash);
    },

    async forget(hashes) {
      await pool.query(`DELETE FROM environment_images WHERE hash = ANY($1) AND NOT (${LIVE})`, [hashes]);
    },
  };
}
