import type { OutboundActivity } from "../teams-connector.ts";

/**
 * Of one activity as JSON in UTF-16, pictures not counted. Microsoft says about 100 KB; less was refused at times, and the
 * connector adds who sends what to whom.
 */
export const ACTIVITY_BYTES_MAX = 76_000;

const PICTURE = /data:image\/[a-z]+;base64,[A-Za-z0-9+/=]+/g;

/** Pure: how much of `ACTIVITY_BYTES_MAX` it takes. */
export function activityBytes(activity: OutboundActivity): number {
  return 2 * JSON.stringify(activity).replaceAll(PICTURE, "").length;
}

/** Pure. */
export function fits(activity: OutboundActivity): boolean {
  return activityBytes(activity) <= ACTIVITY_BYTES_MAX;
}

/** Pure: the beginning of a text, not cut within a character. */
export function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  return `${text.slice(0, Math.max(0, charsMax - 1)).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

/** Pure: without what has no look, and would only take room or break the JSON. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[^\P{Cc}\n\t]/gu, "");
}

/** Pure: somebody's words on one line. */
export function oneLine(text: string, charsMax: number): string {
  return cut(printable(text).replaceAll(/\s+/g, " ").trim(), charsMax);
}
