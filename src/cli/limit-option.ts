import { UsageError } from "./command.ts";

/** Of commands that list a record: how many lines when nothing is said, and at most. */
export const LIMIT = 50;
export const LIMIT_MAX = 10_000;

/** @throws UsageError for what is no such number */
export function limitOption(given: string | undefined): number {
  const limit = Number(given ?? LIMIT);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new UsageError(`--limit is a whole number from 1 to ${LIMIT_MAX}; ${JSON.stringify(given)} is not.`);
}
