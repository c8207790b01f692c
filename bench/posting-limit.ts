/** One thing that counts against a limit. */
export interface Counted {
  /** What the limit is of, such as a channel. */
  key: string;
  /** In ms. */
  at: number;
}

/**
 * How many came faster than a limit allows, each key for itself: so many at once after a rest, then one every `intervalMs`. One
 * that came too early takes nothing from those after it, as a server that refuses it would have it. Pure.
 */
export function overLimit(
  counted: readonly Counted[],
  { burst, intervalMs }: { burst: number; intervalMs: number },
): number {
  const left = new Map<string, { slots: number; at: number }>();
  let over = 0;
  for (const { key, at } of counted.toSorted((a, b) => a.at - b.at)) {
    const before = left.get(key) ?? { slots: burst, at };
    const slots = Math.min(burst, before.slots + (at - before.at) / intervalMs);
    if (slots < 1) over += 1;
    left.set(key, { slots: slots < 1 ? slots : slots - 1, at });
  }
  return over;
}
