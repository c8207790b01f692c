import { z } from "zod";
import { chatThreadKey, parseChatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";

/** `action_id` of each button in our messages, by which `block_actions` names what was pressed. */
export const ACTION_IDS = {
  /** On a running status. Value: `encodeStop`. */
  stop: "deckhand_stop",
  /** On an open approval. Value: the tool use id. */
  approve: "deckhand_approve",
  /** On an open approval; asks for a reason first. Value: the tool use id. */
  deny: "deckhand_deny",
  /** Feedback on an answer. Value: `encodeRating`. */
  rate: "deckhand_rate",
} as const;

export interface Rating {
  /** Of the `agent.message` event. */
  answerId: string;
  value: "up" | "down";
}

/** Slack's limit on a button's value. */
const VALUE_CHARS_MAX = 2_000;
const ToolUseId = z.string().min(1).max(VALUE_CHARS_MAX);
const RatingValue = z
  .string()
  .max(VALUE_CHARS_MAX)
  .regex(/^.+:(?:up|down)$/s);

export function encodeRating({ answerId, value }: Rating): string {
  return `${answerId}:${value}`;
}

/** @throws ZodError when the value is none of ours */
export function parseRating(value: unknown): Rating {
  const encoded = RatingValue.parse(value);
  const colon = encoded.lastIndexOf(":");
  return { answerId: encoded.slice(0, colon), value: encoded.endsWith(":up") ? "up" : "down" };
}

/** The thread whose turn is to be stopped, so that the button also works outside of its thread. */
export function encodeStop(thread: ChatThreadKey): string {
  return thread;
}

/** @throws ZodError or ChatThreadKeyError when the value is none of ours */
export function parseStop(value: unknown): ChatThreadKey {
  return chatThreadKey(parseChatThreadKey(z.string().max(VALUE_CHARS_MAX).parse(value)));
}

/** The tool use id that a press on Approve or Deny is about. @throws ZodError when there is none */
export function parseToolUseId(value: unknown): string {
  return ToolUseId.parse(value);
}
