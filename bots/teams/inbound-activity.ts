import { createHash } from "node:crypto";
import type { ChatPlaceKey } from "../shared/chat-place.ts";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import { type Activity, ConsentValue, ExecuteValue, FeedbackValue, type UploadInfo } from "./activity.ts";
import { filesIn, type FoundFile } from "./attachment-ref.ts";
import { type CardAction, parseCardAction } from "./card-actions.ts";
import { conversationRef, kindOf, tenantOf } from "./conversation-ref.ts";
import { mentionsAgent, messageText, ownCommand } from "./message-text.ts";
import type { ConversationRef } from "./teams-connector.ts";
import { splitConversation, teamsThread, teamsThreadKey } from "./teams-thread.ts";

/** Where and by whom something was done. */
export interface Origin {
  thread: ChatThreadKey;
  place: ChatPlaceKey;
  team: ChatPlaceKey;
  /** As the inbox knows it: the same when Teams delivers it again. */
  messageId: string;
  /** `teamsId` is what Teams itself calls them in this bot's conversations. */
  person: { id: string; name: string; teamsId: string };
  ref: ConversationRef;
  /** Waits for an answer of its own shape. */
  invoke: boolean;
}

/** Why an activity becomes nothing. */
export type DropReason = "tenant_not_allowed" | "no_tenant" | "from_a_bot" | "not_addressed" | "empty" | "other_type";

export type InboundActivity =
  | { type: "message"; origin: Origin; text: string; files: FoundFile[]; addressed: boolean }
  /** From the list of commands: only the person sees it, and no thread has it. */
  | { type: "command"; origin: Origin; text: string }
  /** Null as `action`: a press of something that is none of ours. */
  | { type: "press"; origin: Origin; action: CardAction | null }
  | { type: "consent"; origin: Origin; consentId: string; answer: "accepted" | "declined"; upload: UploadInfo | null }
  /** `activityId` is the answer that was rated. */
  | { type: "feedback"; origin: Origin; activityId: string; value: "up" | "down" }
  | { type: "added"; origin: Origin }
  | { type: "removed"; origin: Origin }
  /** An invoke that asks for nothing of ours, such as one of signing in. */
  | { type: "unknown_invoke"; name: string }
  | { type: "drop"; reason: DropReason };

export interface InboundOptions {
  /** Null when all may write. */
  allowedTenants: readonly string[] | null;
  /** Of clients that name no tenant; null where that is not taken. */
  tenantWhenUnnamed: string | null;
}

const HASH_CHARS = 32;

/** Pure: what a verified activity is to us. */
export function inboundActivity(activity: Activity, options: InboundOptions): InboundActivity {
  const tenant = tenantOf(activity) ?? options.tenantWhenUnnamed;
  if (tenant === null) return { type: "drop", reason: "no_tenant" };
  if (options.allowedTenants?.includes(tenant.toLowerCase()) === false) {
    return { type: "drop", reason: "tenant_not_allowed" };
  }
  switch (activity.type) {
    case "message":
      return messageOf(activity, tenant);
    case "invoke":
      return invokeOf(activity, tenant);
    case "installationUpdate":
    case "conversationUpdate":
      return lifeOf(activity, tenant);
    default:
      return { type: "drop", reason: "other_type" };
  }
}

function messageOf(activity: Activity, tenant: string): InboundActivity {
  // Two agents that answer each other would not end.
  if (activity.from.id.startsWith("28:") || activity.from.id === activity.recipient.id) {
    return { type: "drop", reason: "from_a_bot" };
  }
  const origin = originOf(activity, tenant, false);
  const text = ownCommand(messageText(activity));
  if (isPress(activity)) return press(activity, origin, activity.value);
  if (activity.recipient.isTargeted === true) return { type: "command", origin, text };
  const files = filesIn(activity);
  const addressed = origin.ref.kind === "personal" || mentionsAgent(activity);
  if (!addressed && text === "" && files.length === 0) return { type: "drop", reason: "empty" };
  // A message of its own in a channel begins a thread that we have no part in.
  if (!addressed && origin.ref.kind === "channel" && isFirstInChannel(activity)) {
    return { type: "drop", reason: "not_addressed" };
  }
  return { type: "message", origin, text, files, addressed };
}

function invokeOf(activity: Activity, tenant: string): InboundActivity {
  const { name, value } = activity;
  const origin = originOf(activity, tenant, true);
  const unknown: InboundActivity = { type: "unknown_invoke", name: name ?? "" };
  switch (name) {
    case "adaptiveCard/action":
      return press(activity, origin, executed(value));
    case "fileConsent/invoke": {
      const consent = ConsentValue.safeParse(value).data;
      if (!consent) return unknown;
      const answer = consent.action === "accept" ? "accepted" : "declined";
      return {
        type: "consent",
        origin,
        consentId: consent.context.consent_id,
        answer,
        upload: consent.uploadInfo ?? null,
      };
    }
    case "message/submitAction": {
      const feedback = FeedbackValue.safeParse(value).data;
      if (!feedback || !activity.replyToId) return unknown;
      const rated = feedback.actionValue.reaction === "like" ? "up" : "down";
      return { type: "feedback", origin, activityId: activity.replyToId, value: rated };
    }
    default:
      return unknown;
  }
}

/** The app was brought into a conversation, or taken out of it, or something else happened there that names it. */
function lifeOf(activity: Activity, tenant: string): InboundActivity {
  const origin = originOf(activity, tenant, false);
  return { type: wasRemoved(activity) ? "removed" : "added", origin };
}

function wasRemoved({ type, action, membersRemoved, recipient }: Activity): boolean {
  if (type === "installationUpdate") return action === "remove";
  return membersRemoved?.some(({ id }) => id === recipient.id) === true;
}

function press(activity: Activity, origin: Origin, data: unknown): InboundActivity {
  const action = parseCardAction(data);
  const messageId = pressId(activity);
  // Who presses here may only do something here; what is chosen from a list is checked where it is done.
  const elsewhere = action !== null && action.type !== "pick" && teamsThread(action.thread).place !== origin.place;
  return { type: "press", origin: { ...origin, messageId }, action: elsewhere ? null : action };
}

/** `Action.Execute` brings the verb beside the data; our data holds it, too. */
function executed(value: unknown): unknown {
  return ExecuteValue.safeParse(value).data?.action.data;
}

/** The press of an `Action.Submit` comes as a message with a value and no words. */
function isPress({ value, text }: Activity): boolean {
  return value !== undefined && value !== null && (text ?? "").trim() === "";
}

function originOf(activity: Activity, tenant: string, invoke: boolean): Origin {
  const { from } = activity;
  const { conversationId } = splitConversation(activity.conversation.id);
  const thread = threadOf(activity, tenant);
  return {
    thread,
    place: `teams:${tenant}:${conversationId}`,
    team: `teams:${tenant}`,
    messageId: activity.id ?? hashOf(from.id, activity.timestamp ?? "", activity.text ?? "", activity.value),
    person: { id: from.aadObjectId ?? from.id, name: from.name ?? "Somebody", teamsId: from.id },
    ref: conversationRef(activity, tenant),
    invoke,
  };
}

/** A channel's first message is the root of its thread, and says so only in the replies to it. */
function threadOf(activity: Activity, tenant: string): ChatThreadKey {
  if (kindOf(activity) !== "channel") return teamsThreadKey(tenant, activity.conversation.id, null);
  const { conversationId, rootId } = splitConversation(activity.conversation.id);
  const root = rootId ?? (activity.type === "message" ? activity.id : activity.replyToId) ?? null;
  return teamsThreadKey(tenant, conversationId, root);
}

function isFirstInChannel({ conversation, id }: Activity): boolean {
  const { rootId } = splitConversation(conversation.id);
  return rootId === null || rootId === id;
}

/** One press has one id, though Teams may deliver it with several. So has the next press of the same button: see `onePress`. */
function pressId({ conversation, from, replyToId, value }: Activity): string {
  return `press:${hashOf(conversation.id, from.id, replyToId ?? "", value)}`;
}

function hashOf(...parts: unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, HASH_CHARS);
}
