import type { SentMention } from "./slack-wire.ts";

/** What was found of the threads that mentions began. */
export interface Found {
  /** The thread of each session, by the `ts` of its root; a thread is named as often as it has sessions. */
  sessions: readonly string[];
  /** The thread of each answer that was posted. */
  answers: readonly string[];
}

export interface Outcome {
  /** Mentions without a session or an answer. */
  lost: number;
  /** Mentions with more than one session or answer. */
  doubled: number;
}

/** Pure. */
export function outcomeOf(mentions: readonly Pick<SentMention, "ts">[], { sessions, answers }: Found): Outcome {
  const [sessionsOf, answersOf] = [countsOf(sessions), countsOf(answers)];
  const counts = mentions.map(({ ts }) => [sessionsOf.get(ts) ?? 0, answersOf.get(ts) ?? 0]);
  return {
    lost: counts.filter((of) => of.includes(0)).length,
    doubled: counts.filter((of) => of.some((count) => count > 1)).length,
  };
}

function countsOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
