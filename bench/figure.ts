import type { Teardown } from "../src/teardown.ts";

/** One measured value. */
export interface Figure {
  name: string;
  value: number;
  unit: "ms" | "s" | "MB" | "events/s" | "mentions" | "posts" | "sandboxes" | "%";
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
  /** `difference`: by how much the value is more than its floor. */
  of: "value" | "ratio" | "difference";
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

/** A value beside its floor, which may come out at nothing where noise is greater. Nothing is promised of it. */
export function against(name: string, unit: Figure["unit"], value: number, floor: number, note: string): Figure {
  return { name, value, unit, floor, ratio: floor > 0 ? value / floor : null, target: null, note };
}

/** Null when nothing is promised. */
export function isMet({ value, floor, ratio, target }: Figure): boolean | null {
  if (!target) return null;
  const measured = { value, ratio: ratio ?? Number.NaN, difference: value - (floor ?? Number.NaN) }[target.of];
  return target.is === "at most" ? measured <= target.limit : measured >= target.limit;
}
