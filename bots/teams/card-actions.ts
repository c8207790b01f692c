import { z } from "zod";
import { chatThreadKey, parseChatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";

/** `verb` of each `Action.Execute` in our cards. Also a field of its `data`, since an `Action.Submit` has no verb. */
export const CARD_VERBS = {
  /** On a running status. */
  stop: "deckhand_stop",
  /** On an open approval. */
  approve: "deckhand_approve",
  /** On an open approval; an `Input.Text` with the id `DENY_REASON_INPUT` may stand in the same card. */
  deny: "deckhand_deny",
  /** On a list that asks which thread is meant. */
  pick: "deckhand_pick",
} as const;

/** Id of the input whose value comes with a press of Deny. */
export const DENY_REASON_INPUT = "reason";

const Thread = z.string().max(1_000);
const ToolUseId = z.string().min(1).max(200);
const REASON_CHARS_MAX = 1_000;

const Data = z.discriminatedUnion("verb", [
  z.looseObject({ verb: z.literal(CARD_VERBS.stop), thread: Thread }),
  z.looseObject({ verb: z.literal(CARD_VERBS.approve), thread: Thread, tool_use_id: ToolUseId }),
  z.looseObject({
    verb: z.literal(CARD_VERBS.deny),
    thread: Thread,
    tool_use_id: ToolUseId,
    [DENY_REASON_INPUT]: z.string().nullish(),
  }),
  z.looseObject({
    verb: z.literal(CARD_VERBS.pick),
    thread: Thread,
    action: z.enum(["stop", "steer", "new"]),
    text: z.string().nullable(),
  }),
]);

/** What a person asks for by a button of a card. All of it came from a client, which may have made it up. */
export type CardAction =
  | { type: "stop"; thread: ChatThreadKey }
  | { type: "approve"; thread: ChatThreadKey; toolUseId: string }
  | { type: "deny"; thread: ChatThreadKey; toolUseId: string; reason: string | null }
  | { type: "pick"; thread: ChatThreadKey; action: "stop" | "steer" | "new"; text: string | null };

/** Pure: `data` of the button, for `Action.Execute` and `Action.Submit` alike. */
export function cardActionData(action: CardAction): Record<string, unknown> {
  const { thread } = action;
  const verb = CARD_VERBS[action.type];
  switch (action.type) {
    case "stop":
      return { verb, thread };
    case "approve":
      return { verb, thread, tool_use_id: action.toolUseId };
    case "deny":
      return { verb, thread, tool_use_id: action.toolUseId };
    case "pick":
      return { verb, thread, action: action.action, text: action.text };
  }
}

/** Pure: what a press brought back; null when it is none of ours. */
export function parseCardAction(data: unknown): CardAction | null {
  const parsed = Data.safeParse(data).data;
  const thread = parsed && threadOf(parsed.thread);
  if (!parsed || !thread) return null;
  switch (parsed.verb) {
    case CARD_VERBS.stop:
      return { type: "stop", thread };
    case CARD_VERBS.approve:
      return { type: "approve", thread, toolUseId: parsed.tool_use_id };
    case CARD_VERBS.deny: {
      const reason = (parsed[DENY_REASON_INPUT] ?? "").trim().slice(0, REASON_CHARS_MAX);
      return { type: "deny", thread, toolUseId: parsed.tool_use_id, reason: reason === "" ? null : reason };
    }
    case CARD_VERBS.pick:
      return { type: "pick", thread, action: parsed.action, text: parsed.text };
  }
}

function threadOf(key: string): ChatThreadKey | null {
  try {
    const thread = parseChatThreadKey(key);
    return thread.surface === "teams" ? chatThreadKey(thread) : null;
  } catch {
    return null;
  }
}
