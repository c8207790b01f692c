import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { DockerSandbox } from "./docker-sandbox.ts";
import type { SandboxShape } from "./sandbox.ts";

const MAKING_AT_ONCE_MAX = 2;
/** The session that took a member is about to use it: its first call goes before our next container. */
const REFILL_DELAY_MS = 500;
const RETRY_DELAY_MS = 5_000;

export interface ShapePoolOptions {
  shape: SandboxShape;
  /** Members kept ready. */
  size: number;
  /** Whether it fills itself from the moment it is made, and tries again when it can't; else only when it is asked to. */
  eager: boolean;
  /** Makes a member, started and attached. */
  make(shape: SandboxShape, signal: AbortSignal): Promise<DockerSandbox>;
  /** Removes a member that nobody claimed. */
  discard(member: DockerSandbox): Promise<void>;
  log: Logger;
}

/** Started sandboxes of one shape that belong to nobody yet. Each is claimed once, and never comes back. */
export interface ShapePool {
  /** A member, now the caller's alone; null when there is none, and then one has to be made. */
  claim(): Promise<DockerSandbox | null>;
  /** Makes what is missing, in a moment. */
  refill(): void;
  /** Resolves when the pool is full, or filling it has failed. */
  filled(): Promise<void>;
  /** Removes what nobody claimed. */
  close(): Promise<void>;
}

/** It fills in the background. */
export function createShapePool({ shape, size, eager, make, discard, log }: ShapePoolOptions): ShapePool {
  const ready: DockerSandbox[] = [];
  const making = new Set<Promise<void>>();
  const closing = new AbortController();
  let timer: NodeJS.Timeout | null = null;

  if (eager) fill();
  return {
    async claim() {
      for (let member = ready.shift(); member; member = ready.shift()) {
        fillAfter(REFILL_DELAY_MS);
        if (await member.isReady()) return member;
        await remove(member);
      }
      return null;
    },
    refill: () => fillAfter(REFILL_DELAY_MS),
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
        else if (eager) fillAfter(RETRY_DELAY_MS);
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
