import { answersCall, type QueuedEvent } from "../schemas/event.ts";

/**
 * Which queued events are taken into the log now, and whether they stop the turn. Pure.
 *
 * An interrupt jumps the queue, together with what was sent before it: that is in the log then, for the model to see
 * when it is next asked, but it is no longer work to do. What was sent after the interrupt starts the next turn. While
 * calls are open, only what answers them jumps it: the model takes their results before anything else.
 */
export function planIntake(
  inbox: readonly QueuedEvent[],
  callsOpen: boolean,
): { take: QueuedEvent[]; interrupted: boolean } {
  const lastInterrupt = inbox.findLastIndex((event) => event.type === "user.interrupt");
  if (lastInterrupt !== -1) return { take: inbox.slice(0, lastInterrupt + 1), interrupted: true };
  const take = inbox.filter((event) => !callsOpen || answersCall(event));
  return { take, interrupted: false };
}
