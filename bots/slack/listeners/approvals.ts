import type { App } from "@slack/bolt";
import { z } from "zod";
import { messageOf } from "../../../src/errors.ts";
import { chatThreadKey, parseChatThreadKey } from "../../shared/chat-thread.ts";
import { ACTION_IDS, parseToolUseId } from "../action-ids.ts";
import { DENY_MODAL, denialRefused, denyModal, parseDenial } from "../deny-modal.ts";
import { BEFORE_ACK_MS, type ListenerDeps } from "./listener-deps.ts";
import { orTell, Press, TRY_AGAIN } from "./press.ts";
import { pressedThread } from "./pressed-thread.ts";
import { tellPresser } from "./tell-presser.ts";

const Ok = z.looseObject({});

/** Approve and Deny. Who may not decide is told so at once; the decision itself is made when the item is taken in. */
export function listenToApprovals(app: App, deps: ListenerDeps): void {
  const { core, api, log } = deps;

  app.action(ACTION_IDS.approve, ({ body, ack, respond }) =>
    orTell(respond, async () => {
      const { value, personId, actionTs } = Press.parse(body);
      const toolUseId = parseToolUseId(value);
      const thread = pressedThread(body);
      const others = await core.othersWhoDecide(toolUseId, personId, AbortSignal.timeout(BEFORE_ACK_MS));
      if (others === null) {
        await core.accept({
          thread,
          messageId: `decision:${actionTs}`,
          receiptId: null,
          item: { type: "decision", personId, toolUseId, decision: "allow", reason: null },
        });
      }
      await ack();
      if (others !== null) await tellPresser(api, respond, thread, notYours(others));
    }),
  );

  app.action(ACTION_IDS.deny, ({ body, ack, respond }) =>
    orTell(respond, async () => {
      const { value, personId, triggerId } = Press.parse(body);
      const toolUseId = parseToolUseId(value);
      const thread = pressedThread(body);
      const others = await core.othersWhoDecide(toolUseId, personId, AbortSignal.timeout(BEFORE_ACK_MS));
      if (others === null) {
        await api.call(
          { team: teamOfThread(thread), method: "views.open" },
          (client) => client.views.open({ trigger_id: triggerId, view: denyModal({ toolUseId, thread }) }),
          Ok,
          AbortSignal.timeout(BEFORE_ACK_MS),
        );
      }
      await ack();
      if (others !== null) await tellPresser(api, respond, thread, notYours(others));
    }),
  );

  app.view(DENY_MODAL, async ({ view, body, ack }) => {
    const { toolUseId, thread, viewId, reason } = parseDenial(view);
    const personId = body.user.id;
    try {
      await core.accept({
        thread: chatThreadKey(parseChatThreadKey(thread)),
        messageId: `decision:${viewId}`,
        receiptId: null,
        item: { type: "decision", personId, toolUseId, decision: "deny", reason },
      });
    } catch (error) {
      log.error({ chat_thread_key: thread, error: messageOf(error) }, "a decision could not be kept");
      await ack(denialRefused(TRY_AGAIN));
      return;
    }
    await ack();
  });
}

/** Pure. Ids of groups begin with S. */
function notYours(who: readonly string[]): string {
  if (who.length === 0) return "Nobody is named who may decide on this. Whoever runs Deckhand can name approvers here.";
  const named = who.map((id) => (id.startsWith("S") ? `<!subteam^${id}>` : `<@${id}>`));
  return `Only ${named.join(", ")} may decide on this.`;
}

function teamOfThread(thread: string): string {
  const place = parseChatThreadKey(thread);
  return place.surface === "slack" ? place.team : "";
}
