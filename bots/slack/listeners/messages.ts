import type { App } from "@slack/bolt";
import { inboundEvent } from "../inbound-event.ts";
import { mentionedUsers, messageText } from "../mrkdwn.ts";
import type { ListenerDeps } from "./listener-deps.ts";

/** Mentions, direct messages, and replies in threads. Resolves when the message is kept, so that Slack may forget it. */
export function listenToMessages(app: App, deps: ListenerDeps): void {
  app.event("app_mention", ({ body, context }) => onMessage(deps, body, context.botUserId));
  app.event("message", ({ body, context }) => onMessage(deps, body, context.botUserId));
}

async function onMessage({ core, log }: ListenerDeps, body: unknown, botUserId: string | undefined): Promise<void> {
  const inbound = inboundEvent(body, botUserId ?? "");
  if (inbound.type === "drop") {
    log.debug({ reason: inbound.reason }, "a message that is not for us");
    return;
  }
  const { thread, messageId, receiptId, personId, addressed, attachments, event } = inbound;
  // What people say to each other elsewhere is not even kept.
  if (!addressed && !(await core.knows(thread))) return;
  const others = mentionedUsers(event).filter((id) => id !== botUserId);
  const users = others.length === 0 ? new Map<string, string>() : await core.names(thread, others);
  await core.accept({
    thread,
    messageId,
    receiptId,
    item: {
      type: "message",
      personId,
      text: messageText(event, { botUserId: botUserId ?? null, users }),
      attachments,
      addressed,
      agentId: null,
      reactTo: messageId,
      // They are in the `message` event of the same mention, then, which may come later.
      ...(event.type === "app_mention" && attachments.length === 0 && { filesMayFollow: true }),
    },
  });
}
