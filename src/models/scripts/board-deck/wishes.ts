import type { ProfileResult } from "./results.ts";

/** What a user may ask of the workbook and the deck, in words the script understands. */
export interface Wishes {
  title: string | null;
  accent: string | null;
  grain: string | null;
  deck: boolean;
  /** A column and one of its values. */
  focus: { column: string; value: string } | null;
}

const NOTHING: Wishes = { title: null, accent: null, grain: null, deck: true, focus: null };

const TITLE = /\b(?:title|titled|call it|headline)\b[^"“'\n]{0,30}["“'](.{2,80}?)["”']|\btitle:\s*([^\n"“]{2,80})/i;
const ACCENT =
  /\b(?:use|using|in|colou?rs?|accent|make it|with)\b(?:\s+(?:a|an|the|some|more|our|dark|light|colou?r))*[\s:]+(blue|navy|green|teal|purple|red|orange|gr[ea]y)\b/i;
const NO_DECK =
  /\b(?:no|without(?: a| the)?|skip(?: the)?|drop the|don't need(?: a| the)?)\s+(?:deck|slides|presentation)\b|\bstop after the workbook\b|\b(?:only|just)(?: the| a)? (?:workbook|spreadsheet|excel)\b/i;
const GRAIN =
  /\b(?:by|per|each|every)\s+(day|week|month|quarter|year)\b|\b(daily|weekly|monthly|quarterly|yearly|annual)\b/i;
const GRAINS: Record<string, string> = {
  daily: "day",
  weekly: "week",
  monthly: "month",
  quarterly: "quarter",
  yearly: "year",
  annual: "year",
};
const FOCUS =
  /\b(?:focus|zoom|concentrate|look (?:closer |closely )?at|especially|particularly|highlight|deep[- ]dive)\b(.*)/is;

/** All wishes in what the user said; a later message overrides an earlier one. Values are looked for in the profile. */
export function readWishes(messages: readonly string[], profile: ProfileResult | null): Wishes {
  return Object.assign({}, NOTHING, ...messages.map((message) => wishesIn(message, profile)));
}

/** The words for what was understood of one message; empty when nothing was. */
export function describeWishes(message: string, profile: ProfileResult | null): string[] {
  const wishes = wishesIn(message, profile);
  return [
    wishes.title ? `the title is “${wishes.title}”` : null,
    wishes.accent ? `${wishes.accent} as the colour` : null,
    wishes.grain ? `time is cut by ${wishes.grain}` : null,
    wishes.deck === false ? "no deck, only the workbook" : null,
    wishes.focus ? `a closer look at ${wishes.focus.value} (${wishes.focus.column})` : null,
    !wishes.focus && FOCUS.test(message) ? unknownFocus(profile) : null,
  ].filter((words) => words !== null);
}

/** Names of columns that the user mentioned, in the order given. */
export function mentioned(names: readonly string[], messages: readonly string[]): string[] {
  return names.filter((name) => messages.some((message) => holds(withoutPaths(message), name)));
}

function unknownFocus(profile: ProfileResult | null): string {
  return profile
    ? "a closer look, though I find no such value in the leading columns"
    : "a closer look at what you name, if the data holds it";
}

function wishesIn(message: string, profile: ProfileResult | null): Partial<Wishes> {
  const text = withoutPaths(message);
  const title = TITLE.exec(text);
  const accent = ACCENT.exec(text)?.[1]?.toLowerCase();
  const grain = GRAIN.exec(text);
  const focus = focusIn(text, profile);
  const found: Partial<Wishes> = {};
  if (title) found.title = (title[1] ?? title[2] ?? "").trim();
  if (accent) found.accent = accent === "gray" ? "grey" : accent;
  if (grain) found.grain = grain[1]?.toLowerCase() ?? GRAINS[grain[2]?.toLowerCase() ?? ""] ?? "month";
  if (NO_DECK.test(text)) found.deck = false;
  if (focus) found.focus = focus;
  return found;
}

/** The longest value that is named after a word such as "focus". */
function focusIn(text: string, profile: ProfileResult | null): Wishes["focus"] {
  const named = FOCUS.exec(text)?.[1];
  if (named === undefined || !profile) return null;
  const all = Object.entries(profile.values).flatMap(([column, values]) => values.map((value) => ({ column, value })));
  return all.filter(({ value }) => holds(named, value)).toSorted((a, b) => b.value.length - a.value.length)[0] ?? null;
}

function holds(text: string, words: string): boolean {
  const escaped = words.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\p{L}\p{N}])${escaped}(?![\p{L}\p{N}])`, "iu").test(text);
}

function withoutPaths(message: string): string {
  return message.replaceAll(/\/mnt\/session\/\S+/g, "");
}
