import type { DockerSandbox } from "./docker-sandbox.ts";
import type { SandboxShape } from "./sandbox.ts";
import { createShapePool, type ShapePool, type ShapePoolOptions } from "./shape-pool.ts";

const OTHER_SHAPES_MAX = 4;
/** Of a sandbox of another shape than the usual one, without anybody having asked for that shape. */
const KEPT_READY_MS = 600_000;

export interface PoolOptions extends Pick<ShapePoolOptions, "make" | "discard" | "log"> {
  /** The usual one. */
  shape: SandboxShape;
  /** Members of that shape kept ready; 0 turns the pool off. */
  size: number;
  keptReadyMs?: number;
}

/**
 * Sandboxes kept ready: some of the usual shape, and one of each of the few other shapes that sessions asked for of late.
 */
export interface SandboxPool {
  /** A member of this shape, now the caller's alone; null when there is none, and then one has to be made. */
  claim(shape: SandboxShape): Promise<DockerSandbox | null>;
  /** One of this shape could be made and was asked for: the next session that wants one should find it. */
  keepReady(shape: SandboxShape): void;
  /** Resolves when the pool is full, or filling it has failed. */
  filled(): Promise<void>;
  /** Removes what nobody claimed. */
  close(): Promise<void>;
}

/** A pool that fills itself in the background from the moment it is made. */
export function createPool({ shape, size, keptReadyMs = KEPT_READY_MS, ...rest }: PoolOptions): SandboxPool {
  const usual = createShapePool({ ...rest, shape, size, eager: true });
  const usualKey = keyOf(shape);
  /** The one that was used last comes last. */
  const others = new Map<string, { pool: ShapePool; timer: NodeJS.Timeout }>();
  const dropping = new Set<Promise<void>>();

  return {
    async claim(wanted) {
      const key = keyOf(wanted);
      if (key === usualKey) return usual.claim();
      const other = others.get(key);
      if (!other) return null;
      use(key, other.pool);
      return other.pool.claim();
    },

    keepReady(wanted) {
      const key = keyOf(wanted);
      if (size === 0 || key === usualKey) return;
      const pool = others.get(key)?.pool ?? createShapePool({ ...rest, shape: wanted, size: 1, eager: false });
      use(key, pool);
      pool.refill();
      const [oldest] = others.keys();
      if (others.size > OTHER_SHAPES_MAX && oldest !== undefined) drop(oldest);
    },

    async filled() {
      await Promise.all([usual, ...[...others.values()].map(({ pool }) => pool)].map((pool) => pool.filled()));
    },

    async close() {
      for (const key of others.keys()) drop(key);
      await Promise.all([usual.close(), ...dropping]);
    },
  };

  function use(key: string, pool: ShapePool): void {
    clearTimeout(others.get(key)?.timer);
    others.delete(key);
    others.set(key, { pool, timer: setTimeout(() => drop(key), keptReadyMs).unref() });
  }

  function drop(key: string): void {
    const other = others.get(key);
    if (!other) return;
    clearTimeout(other.timer);
    others.delete(key);
    const dropped = other.pool.close().finally(() => dropping.delete(dropped));
    dropping.add(dropped);
  }
}

/** The same for shapes that are equal, in whatever order their properties were written. */
function keyOf({ image, limits, runtime }: SandboxShape): string {
  return JSON.stringify([image, runtime, Object.entries(limits).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
