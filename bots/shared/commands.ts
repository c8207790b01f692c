export type ChatCommand =
  | { type: "stop" }
  | { type: "status" }
  | { type: "new" }
  | { type: "help" }
  /** Begins with a slash and is none of ours. `nearest` is what was probably meant. */
  | { type: "unknown"; name: string; nearest: CommandName | null };

export const COMMAND_NAMES = ["stop", "status", "new", "help"] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

/** Words around a command that change nothing: `ok, please stop now!`. */
const BEFORE = /^(?:(?:ok(?:ay)?|hey|hi|please|pls|no|wait|deckhand)[\s,.!-]+)+/;
const AFTER = /[\s,]+(?:please|pls|now|thanks|thank you)$/;
const PHRASES: Record<Exclude<CommandName, "help">, RegExp> = {
  stop: /^(?:stop|halt|abort|cancel)(?: (?:it|that|this|everything|all|working|right there|the run|the task))?$/,
  status: /^(?:status|how far are you|what(?:'s| is) the status)$/,
  new: /^(?:new|new (?:session|thread|conversation)|start (?:over|afresh)|reset)$/,
};
/** A slash and one word; `/mnt/data is full` is a message. */
const SLASH = /^\/([a-z][a-z-]*)(?=\s|$)/;

/**
 * Pure: the command that a message is, in any of its natural forms; null when it is a message for the agent. Only the
 * whole message counts: "stop using red in the chart" is for the agent.
 */
export function parseCommand(text: string): ChatCommand | null {
  const line = text.trim().toLowerCase();
  const slash = SLASH.exec(line)?.[1];
  if (slash !== undefined) {
    const name = COMMAND_NAMES.find((command) => command === slash);
    return name ? { type: name } : { type: "unknown", name: slash, nearest: nearestCommand(slash) };
  }
  const bare = line
    .replace(/[.!?…\s]+$/u, "")
    .replace(BEFORE, "")
    .replace(AFTER, "");
  if (bare === "help") return { type: "help" };
  if (PHRASES.stop.test(bare) || line === "🛑") return { type: "stop" };
  if (PHRASES.status.test(bare)) return { type: "status" };
  if (PHRASES.new.test(bare)) return { type: "new" };
  return null;
}

/** Pure: the closest of `names` by edits, when it is close enough to be a slip of the finger. */
export function nearest<Name extends string>(word: string, names: readonly Name[]): Name | null {
  const ranked = names.map((name) => ({ name, edits: editDistance(word, name) })).toSorted((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(best.name.length / 2)) ? best.name : null;
}

function nearestCommand(word: string): CommandName | null {
  return nearest(word, COMMAND_NAMES);
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
