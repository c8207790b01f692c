/** What a workspace turned out not to have, remembered for a while so that it is not asked for again and again. */
export interface TeamMemory {
  has(team: string): boolean;
  remember(team: string): void;
}

export function createTeamMemory(forMs: number, now: () => number): TeamMemory {
  const until = new Map<string, number>();
  return {
    has: (team) => (until.get(team) ?? 0) > now(),
    remember: (team) => void until.set(team, now() + forMs),
  };
}
