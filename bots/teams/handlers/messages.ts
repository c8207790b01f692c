import type { InboundItem } from "../../shared/inbound-item.ts";
import { sealFile } from "../attachment-ref.ts";
import type { InboundActivity } from "../inbound-activity.ts";
import type { HandlerDeps } from "./handler-deps.ts";

/** Mentions, personal messages, and replies in threads that the agent is in. */
export async function onMessage(
  { core, conversations, cipher }: HandlerDeps,
  { origin, text, files, addressed }: Extract<InboundActivity, { type: "message" }>,
): Promise<void> {
  const { thread, place, messageId, person, ref } = origin;
  // What people say to each other elsewhere is not even kept.
  if (!addressed && !(await core.knows(thread))) return;
  await conversations.keep(place, ref);
  const attachments = await Promise.all(
    files.map(async ({ filename, file }) => ({ filename, ref: await sealFile(cipher, thread, file), sizeBytes: null })),
  );
  const item: InboundItem = {
    type: "message",
    personId: person.id,
    text,
    attachments,
    addressed,
    agentId: null,
    reactTo: messageId,
  };
  await core.accept({ thread, messageId, receiptId: null, item });
}
