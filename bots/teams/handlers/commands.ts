import { setTimeout as delay } from "node:timers/promises";
import type { InboundActivity } from "../inbound-activity.ts";
import { slashActivity } from "../slash-reply.ts";
import { BEFORE_ANSWER_MS, type HandlerDeps } from "./handler-deps.ts";
import { whisper } from "./whisper.ts";

/**
 * From the list of commands, which is of no thread: told to the caller alone. Resolves when what it asks for is kept, and
 * rejects when it could not be, so that Teams brings it again. Work that takes longer goes on after Teams has its answer.
 */
export async function onCommand(
  deps: HandlerDeps,
  { origin, text }: Extract<InboundActivity, { type: "command" }>,
): Promise<void> {
  const { messageId, place, team, person, ref } = origin;
  await deps.conversations.keep(place, ref);
  const call = { id: messageId, place, team, person: { id: person.id, name: person.name }, text };
  const kept = Promise.withResolvers<void>();
  whisper(deps, origin, async (signal) => {
    const work = deps.core.runSlash(call, signal);
    work.then(() => kept.resolve(), kept.reject);
    return slashActivity(await work);
  });
  await inTime(kept.promise);
}

async function inTime(work: Promise<void>): Promise<void> {
  const done = new AbortController();
  // It only ever rejects because it is called off.
  const late = delay(BEFORE_ANSWER_MS, undefined, { signal: done.signal, ref: false }).catch(() => undefined);
  await Promise.race([work, late]).finally(() => done.abort());
}
