import type { InboundItem } from "../../shared/inbound-item.ts";
import { plainWords } from "../../shared/plain-words.ts";
import type { CardAction } from "../card-actions.ts";
import type { InboundActivity, Origin } from "../inbound-activity.ts";
import { BEFORE_ANSWER_MS, type HandlerDeps } from "./handler-deps.ts";
import { whisper } from "./whisper.ts";

type Press = Extract<InboundActivity, { type: "press" }>;

/** Answers an `Action.Execute`: words that Teams shows to the person who pressed. */
export interface PressAnswer {
  statusCode: number;
  type: "application/vnd.microsoft.activity.message";
  value: string;
}

const STALE = "This button has no use any more.";
const NOTED = "Your decision is noted.";
const STOPPING = "Stopping.";

/**
 * A button of a card. Who may not decide is told so at once; what was asked for is done when the item is taken in, and the card
 * is then drawn anew for everybody.
 */
export async function onPress(deps: HandlerDeps, { origin, action }: Press): Promise<PressAnswer> {
  await deps.conversations.keep(origin.place, origin.ref);
  const words = action === null ? STALE : await act(deps, origin, action);
  // An Action.Submit shows no answer. What needs no saying is seen on the card.
  if (!origin.invoke && words !== NOTED && words !== STOPPING) {
    whisper(deps, origin, async () => ({ type: "message", text: words, textFormat: "markdown" }));
  }
  return { statusCode: 200, type: "application/vnd.microsoft.activity.message", value: words };
}

/** Resolves with what to say to the person. */
async function act(deps: HandlerDeps, origin: Origin, action: CardAction): Promise<string> {
  const { person, team } = origin;
  const { thread } = action;
  switch (action.type) {
    case "stop":
      await keep(deps, origin, action, { type: "stop", personId: person.id });
      return STOPPING;
    case "approve":
    case "deny": {
      const { toolUseId } = action;
      const inTime = AbortSignal.timeout(BEFORE_ANSWER_MS);
      const others = await deps.core.othersWhoDecide(toolUseId, person.id, inTime);
      if (others !== null) return await notYours(deps, origin, others);
      const [decision, reason] =
        action.type === "approve" ? (["allow", null] as const) : (["deny", action.reason] as const);
      await keep(deps, origin, action, { type: "decision", personId: person.id, toolUseId, decision, reason });
      return NOTED;
    }
    case "pick": {
      const id = await deps.core.pressId(origin.messageId);
      const call = { id, action: action.action, thread, team, person, text: action.text };
      const reply = await deps.core.runPicked(call, AbortSignal.timeout(BEFORE_ANSWER_MS));
      return reply.type === "notice" ? reply.markdown : NOTED;
    }
  }
}

async function keep(
  { core }: HandlerDeps,
  { messageId }: Origin,
  { thread }: CardAction,
  item: InboundItem,
): Promise<void> {
  await core.accept({ thread, messageId: await core.pressId(messageId), receiptId: null, item });
}

async function notYours({ core }: HandlerDeps, { thread }: Origin, who: readonly string[]): Promise<string> {
  if (who.length === 0) return "Nobody is named who may decide on this. Whoever runs Deckhand can name approvers here.";
  const names = await core.names(thread, who);
  const named = who.map((id) => plainWords(names.get(id) ?? "")).filter((name) => name !== "");
  return named.length === 0 ? "You may not decide on this." : `Only ${named.join(", ")} may decide on this.`;
}
