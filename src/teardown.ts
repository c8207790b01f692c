/** What was started, to be stopped in the opposite order. */
export class Teardown {
  readonly #steps: (() => Promise<unknown>)[] = [];

  /** `stop` is called once, after everything that was added later has stopped. */
  add(stop: () => Promise<unknown>): void {
    this.#steps.push(stop);
  }

  /** Runs every step, whatever becomes of the others. Idempotent. @throws AggregateError when steps failed */
  async run(): Promise<void> {
    const errors: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, "Not everything could be stopped.");
  }
}
