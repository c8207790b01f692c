import type { InboundActivity } from "../inbound-activity.ts";
import type { HandlerDeps } from "./handler-deps.ts";

/** The answer to a card that offers a file: kept, and the file is uploaded by a worker. */
export async function onConsent(
  { core, conversations }: HandlerDeps,
  { origin, consentId, answer, upload }: Extract<InboundActivity, { type: "consent" }>,
): Promise<void> {
  await conversations.keep(origin.place, origin.ref);
  await core.keepConsent({ thread: origin.thread, consentId, answer, upload });
}
