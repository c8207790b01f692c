import type { Wakeup } from "./wakeups.ts";

/** Who in this process listens to which session. */
export class WakeupListeners {
  readonly #bySession = new Map<string, Set<(wakeup: Wakeup) => void>>();

  add(sessionId: string, listener: (wakeup: Wakeup) => void): () => void {
    const listeners = this.#bySession.get(sessionId) ?? new Set();
    this.#bySession.set(sessionId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#bySession.delete(sessionId);
    };
  }

  wake(wakeup: Wakeup): void {
    for (const listener of [...(this.#bySession.get(wakeup.sessionId) ?? [])]) listener(wakeup);
  }

  /** After a break in the connection: anything may have happened in any session. */
  wakeAll(): void {
    for (const sessionId of [...this.#bySession.keys()]) this.wake({ sessionId, inbox: true });
  }

  clear(): void {
    this.#bySession.clear();
  }
}
