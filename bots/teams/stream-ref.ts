import type { MessageRef } from "../shared/chat-surface.ts";

/** A message that streams, or that did so when the process died which made it. */
export interface StreamRef {
  id: string;
  /** In ms since the epoch. */
  openedAt: number;
}

/** Teams ends a stream by itself after this time. */
const LIFE_MS = 125_000;
const REF = /^stream:(?<openedAt>\d+):(?<id>.+)$/;

/** Pure: other than the activity's id, which is what an ended stream goes by. */
export function streamRef({ id, openedAt }: StreamRef): MessageRef {
  return `stream:${openedAt}:${id}`;
}

/** Pure: null for a message that never streamed, or has ended in order. */
export function parseStreamRef(ref: MessageRef): StreamRef | null {
  const { openedAt, id } = REF.exec(ref)?.groups ?? {};
  return id === undefined ? null : { id, openedAt: Number(openedAt) };
}

/** Pure: whether Teams may still hold the message for a stream. */
export function isOpenStill({ openedAt }: StreamRef, now: number): boolean {
  return now - openedAt < LIFE_MS;
}
