/** Pure: the closest of `names` by edits, when it is close enough to be a slip of the finger. */
export function nearest<Name extends string>(word: string, names: readonly Name[]): Name | null {
  return nearestFew(word, names, 1)[0] ?? null;
}

/** Pure: those of `names` that are close enough to be meant by `word`, closest first, at most `countMax`. Case counts. */
export function nearestFew<Name extends string>(word: string, names: readonly Name[], countMax: number): Name[] {
  return names
    .map((name) => ({ name, edits: editDistance(word, name) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(name.length / 2)))
    .toSorted((a, b) => a.edits - b.edits)
    .slice(0, countMax)
    .map(({ name }) => name);
}

/** How many letters were added, left out, replaced or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, replaced, swapped));
    }
    before = row;
    row = next;
  }
  return row.at(-1) ?? 0;
}
