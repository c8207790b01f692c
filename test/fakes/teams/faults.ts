/** What goes wrong with a call. An `after` means that the effect happened and the answer did not arrive. */
export type Fault =
  | { type: "refuse"; status: number; code: string; message?: string; headers?: Record<string, string> }
  /** No error body, as gateways answer: 412, 502, 504. */
  | { type: "http"; status: number; when?: "before" | "after" }
  | { type: "throttled"; retryAfterSeconds: number }
  /** No answer, ever. */
  | { type: "hang"; when: "before" | "after" }
  /** The connection breaks. */
  | { type: "reset"; when: "before" | "after" }
  /** Goes on when the test lets it. */
  | { type: "hold"; when: "before" | "after"; until: Promise<void> };

interface Planned {
  operation: string;
  conversation: string | undefined;
  fault: Fault;
  times: number;
  hit: () => void;
}

export interface FaultPlan {
  /**
   * The next `times` calls of an operation, or of any with "*", fail that way; a conversation narrows it.
   * Resolves when the first of them came.
   */
  plan(operation: string, fault: Fault, options?: { times?: number; conversation?: string }): Promise<void>;
  /** @param conversation its id without `;messageid=`; null when the call has none */
  take(operation: string, conversation: string | null): Fault | null;
}

export function createFaultPlan(): FaultPlan {
  const planned: Planned[] = [];
  return {
    plan: (operation, fault, { times = 1, conversation } = {}) =>
      new Promise((hit) => void planned.push({ operation, fault, times, conversation, hit })),
    take(operation, conversation) {
      const next = planned.find(
        (each) =>
          (each.operation === operation || each.operation === "*") &&
          (each.conversation === undefined || each.conversation === conversation),
      );
      if (!next) return null;
      next.times -= 1;
      if (next.times === 0) planned.splice(planned.indexOf(next), 1);
      next.hit();
      return next.fault;
    },
  };
}
