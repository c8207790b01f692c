import type { InboundActivity } from "../inbound-activity.ts";
import { slashActivity } from "../slash-reply.ts";
import type { HandlerDeps } from "./handler-deps.ts";
import { whisper } from "./whisper.ts";

/** From the list of commands, which is of no thread: answered after Teams has its answer, to the caller alone. */
export async function onCommand(
  deps: HandlerDeps,
  { origin, text }: Extract<InboundActivity, { type: "command" }>,
): Promise<void> {
  const { messageId, place, team, person, ref } = origin;
  await deps.conversations.keep(place, ref);
  const call = { id: messageId, place, team, person: { id: person.id, name: person.name }, text };
  whisper(deps, origin, async (signal) => slashActivity(await deps.core.runSlash(call, signal)));
}
