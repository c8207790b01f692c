/** Why a turn's work is cut short. */
export type CutReason = "interrupt" | "lease_lost" | "stopping";

/**
 * The signals of one run of a session. An interrupt is the user's: it also stops what runs in the sandbox. The other two
 * only make this harness let go; the sandbox works on and the next harness joins it.
 */
export class TurnSignals {
  readonly #interrupt = new AbortController();
  readonly #letGo = new AbortController();
  #reason: CutReason | null = null;

  get reason(): CutReason | null {
    return this.#reason;
  }

  /** Aborts when the user interrupts. */
  get interrupt(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** Aborts when this harness must let go of the session. */
  get letGo(): AbortSignal {
    return this.#letGo.signal;
  }

  readonly any = AbortSignal.any([this.#interrupt.signal, this.#letGo.signal]);

  /** Signals for what comes after an interrupt was dealt with; the same ones when there was none. */
  afterInterrupt(): TurnSignals {
    if (!this.#interrupt.signal.aborted) return this;
    const fresh = new TurnSignals();
    if (this.#letGo.signal.aborted && this.#reason) fresh.cut(this.#reason);
    return fresh;
  }

  cut(reason: CutReason): void {
    // Letting go outranks an interrupt, and with a lost lease nothing may be written any more.
    if (this.#reason === null || this.#reason === "interrupt" || reason === "lease_lost") this.#reason = reason;
    (reason === "interrupt" ? this.#interrupt : this.#letGo).abort(new Error(reason));
  }
}

/** The promise, unless the signal aborts first; then it rejects with the signal's reason and the promise is left alone. */
export async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  promise.catch(() => undefined); // Its failure after an abort is nobody's business any more.
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
