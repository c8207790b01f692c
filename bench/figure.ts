import type { Teardown } from "../src/teardown.ts";

/** One measured value. */
export interface Figure {
  name: string;
  value: number;
  unit: "ms" | "s" | "events/s" | "mentions" | "posts" | "%";
  /** The same in the least that is possible, or in what it is compared with, measured in the same run. */
  floor: number | null;
  /** `value` to `floor`. */
  ratio: number | null;
  target: Target | null;
  /** What it means, and how many samples it stands on. */
  note: string;
}

/** What is promised of a figure. */
export interface Target {
  of: "value" | "ratio";
  is: "at most" | "at least";
  limit: number;
}

/** Measures one thing. What it starts it adds to the teardown. */
export type Measure = (bench: Bench) => Promise<Figure[]>;

export interface Bench {
  /** The checkout. */
  root: string;
  /** A directory for this figure alone, removed after it. */
  dir: string;
  teardown: Teardown;
  /** Says what is going on. */
  say(what: string): void;
  signal: AbortSignal;
}

export const atMost = (limit: number, of: Target["of"] = "value"): Target => ({ of, is: "at most", limit });
export const atLeast = (limit: number, of: Target["of"] = "value"): Target => ({ of, is: "at least", limit });

/** Null when nothing is promised. */
export function isMet({ value, ratio, target }: Figure): boolean | null {
  if (!target) return null;
  const measured = target.of === "value" ? value : (ratio ?? Number.NaN);
  return target.is === "at most" ? measured <= target.limit : measured >= target.limit;
}
