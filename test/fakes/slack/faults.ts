/** What goes wrong with a call. An `after` means that the effect happened and the answer did not arrive. */
export type Fault =
  | { type: "error"; error: string; more?: Record<string, unknown> }
  | { type: "rate_limited"; retryAfterSeconds: number }
  | { type: "http"; status: number }
  /** No answer, ever. */
  | { type: "hang"; when: "before" | "after" }
  /** The connection breaks. */
  | { type: "reset"; when: "before" | "after" }
  /** Goes on when the test lets it. */
  | { type: "hold"; when: "before" | "after"; until: Promise<void> };

interface Planned {
  method: string;
  team: string | undefined;
  fault: Fault;
  times: number;
  hit: () => void;
}

export interface FaultPlan {
  /**
   * The next `times` calls of a method, or of any with "*", fail that way. A team narrows it to the calls of its install.
   * Resolves when the first of them came.
   */
  plan(method: string, fault: Fault, options?: { times?: number; team?: string }): Promise<void>;
  take(method: string, team: string): Fault | null;
}

export function createFaultPlan(): FaultPlan {
  const planned: Planned[] = [];
  return {
    plan: (method, fault, { times = 1, team } = {}) =>
      new Promise((hit) => void planned.push({ method, fault, times, team, hit })),
    take(method, team) {
      const next = planned.find(
        (each) => (each.method === method || each.method === "*") && (each.team ?? team) === team,
      );
      if (!next) return null;
      next.times -= 1;
      if (next.times === 0) planned.splice(planned.indexOf(next), 1);
      next.hit();
      return next.fault;
    },
  };
}
