import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { DockerSandbox } from "./docker-sandbox.ts";
import type { SandboxShape } from "./sandbox.ts";

const MAKING_AT_ONCE_MAX = 2;
/** The session that took a member is about to use it: its first call goes before our next container. */
const REFILL_DELAY_MS = 500;
const RETRY_DELAY_MS = 5_000;

export interface PoolOptions {
  shape: SandboxShape;
  /** Members kept ready; 0 turns the pool off. */
  size: number;
  /** Makes a member, started and attached. */
  make(shape: SandboxShape, signal: AbortSignal): Promise<DockerSandbox>;
  /** Removes a member that nobody claimed. */
  discard(member: DockerSandbox): Promise<void>;
  log: Logger;
}

/** Started sandboxes that belong to nobody yet. Each is claimed once, and never comes back. */
export interface SandboxPool {
  /** A member of this shape, now the caller's alone; null when there is none, and then one has to be made. */
  claim(shape: SandboxShape): Promise<DockerSandbox | null>;
  /** Resolves when the pool is full, or filling it has failed. */
  filled(): Promise<void>;
  /** Removes what nobody claimed. */
  close(): Promise<void>;
}

/** A pool that fills itself in the background from the moment it is made. */
export function createPool({ shape, size, make, discard, log }: PoolOptions): SandboxPool {
  const ready: DockerSandbox[] = [];
  const making = new Set<Promise<void>>();
  const closing = new AbortController();
  let timer: NodeJS.Timeout | null = null;

  fill();
  return {
    async claim(wanted) {
      if (JSON.stringify(wanted) !== JSON.stringify(shape)) return null;
      for (let member = ready.shift(); member; member = ready.shift()) {
        fillAfter(REFILL_DELAY_MS);
        if (await member.isReady()) return member;
        await remove(member);
      }
      return null;
    },
    async filled() {
      while (making.size > 0) await Promise.all(making);
    },
    async close() {
      closing.abort(new Error("The sandbox pool was closed."));
      if (timer) clearTimeout(timer);
      await Promise.all(making);
      await Promise.all(ready.splice(0).map(remove));
    },
  };

  function fill(): void {
    while (!closing.signal.aborted && making.size < MAKING_AT_ONCE_MAX && ready.length + making.size < size) {
      const made = makeOne().then((succeeded) => {
        making.delete(made);
        if (succeeded) fill();
        else fillAfter(RETRY_DELAY_MS);
      });
      making.add(made);
    }
  }

  function fillAfter(delayMs: number): void {
    if (closing.signal.aborted) return;
    if (timer) clearTimeout(timer);
    timer = setTimeout(fill, delayMs).unref();
  }

  async function makeOne(): Promise<boolean> {
    try {
      ready.push(await make(shape, closing.signal));
      return true;
    } catch (error) {
      if (!closing.signal.aborted) log.warn({ image: shape.image, error: messageOf(error) }, "pooled sandbox not made");
      return false;
    }
  }

  async function remove(member: DockerSandbox): Promise<void> {
    try {
      await discard(member);
    } catch (error) {
      log.warn({ container: member.ref, error: messageOf(error) }, "pooled sandbox not removed");
    }
  }
}
