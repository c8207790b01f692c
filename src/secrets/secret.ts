import { inspect } from "node:util";

const REDACTED = "[redacted]";

/**
 * Text that must not be seen: a key, a token. Whoever prints, logs, interpolates, serialises or inspects it gets
 * `[redacted]`; `reveal` is the only way to it, and easy to find in a review.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    Object.freeze(this);
  }

  /** The text itself. To be called where it is used, and not kept. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
