import { expect, it } from "vitest";
import { recoverCall } from "../../src/harness/recover.ts";

it.each([
  [true, "lost", "report_unknown"],
  [true, "attached", "run"],
  [true, "never_had_one", "run"],
  [false, "lost", "run"],
  [false, "attached", "run"],
  [false, "never_had_one", "run"],
] as const)("a call (orphaned: %s) whose sandbox is %s: %s", (orphaned, remains, what) => {
  expect(recoverCall(orphaned, remains)).toBe(what);
});
