import type { InboundActivity } from "../inbound-activity.ts";
import { onCommand } from "./commands.ts";
import { onConsent } from "./consents.ts";
import { onFeedback } from "./feedback.ts";
import type { HandlerDeps } from "./handler-deps.ts";
import { onMessage } from "./messages.ts";
import { onPress } from "./presses.ts";

const REMOVED = "The app was removed from this conversation.";

/**
 * Deals with what a person did, so far that Teams may forget it. Resolves with the body of the answer; an invoke that asks for
 * nothing of ours gets an empty one, since Teams takes any other status for a failure and shows it.
 */
export async function handleActivity(deps: HandlerDeps, inbound: InboundActivity): Promise<object> {
  switch (inbound.type) {
    case "message":
      await onMessage(deps, inbound);
      return {};
    case "command":
      await onCommand(deps, inbound);
      return {};
    case "press":
      return inbound.origin.invoke ? await onPress(deps, inbound) : (await onPress(deps, inbound), {});
    case "consent":
      await onConsent(deps, inbound);
      return {};
    case "feedback":
      await onFeedback(deps, inbound);
      return {};
    case "added":
      await deps.conversations.keep(inbound.origin.place, inbound.origin.ref);
      return {};
    case "removed":
      await deps.conversations.disable(inbound.origin.place, REMOVED);
      deps.log.info({ place: inbound.origin.place }, "the Teams app was removed from a conversation");
      return {};
    case "unknown_invoke":
      deps.log.info({ teams_invoke: inbound.name }, "an invoke that asks for nothing of ours");
      return {};
    case "drop":
      deps.log.debug({ reason: inbound.reason }, "an activity that is not for us");
      return {};
  }
}
