import { createHash } from "node:crypto";
import type { ChatThreadKey } from "./chat-thread.ts";

const HEX_CHARS = 20;

/** What a post carries so that it can be found again: the same for the same item in every attempt, and telling nothing. */
export function markerOf(thread: ChatThreadKey, item: string): string {
  const hash = createHash("sha256").update(`${thread}\n${item}`).digest("hex");
  return `dh_${hash.slice(0, HEX_CHARS)}`;
}
