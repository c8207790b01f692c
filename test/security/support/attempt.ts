import { it } from "vitest";
import { messageOf } from "../../../src/errors.ts";

/** A row of the abuse suite's table, which `deckhand test` prints at its end. */
export interface AttemptRow {
  area: string;
  attempt: string;
  expected: string;
  outcome: string;
}

declare module "vitest" {
  interface TaskMeta {
    attempt?: AttemptRow;
  }
}

/**
 * What hostile code tries, as a test. `make` makes the attempt, throws when anything but the expected came of it, and
 * returns in a few words what did.
 */
export type Attempt = (
  attempt: string,
  expected: string,
  make: () => Promise<string>,
  options?: { timeout?: number },
) => void;

/** Attempts of one area, e.g. "network". */
export function attemptsIn(area: string): Attempt {
  return (attempt, expected, make, options = {}) => {
    // oxlint-disable-next-line vitest/expect-expect -- whoever makes the attempt asserts
    it(`${attempt}: ${expected}`, options, async ({ task }) => {
      const row = { area, attempt, expected, outcome: "not finished" };
      task.meta.attempt = row;
      try {
        row.outcome = inOneLine(await make());
      } catch (error) {
        row.outcome = inOneLine(messageOf(error));
        throw error;
      }
    });
  };
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
