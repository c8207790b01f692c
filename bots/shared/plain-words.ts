const MARKS = /[[\]()*_`~<>|\\#]/g;
const CODE_CHARS_MAX = 80;

/** Pure: somebody's words on one line and without Markdown marks, to stand inside a sentence of ours. May be empty. */
export function plainWords(text: string): string {
  return oneLine(text.replaceAll(MARKS, ""));
}

/** Pure: somebody's words as code, on one line, cut when they are long. */
export function codeSpan(text: string): string {
  const chars = [...oneLine(text.replaceAll("`", "'"))];
  return `\`${chars.length <= CODE_CHARS_MAX ? chars.join("") : `${chars.slice(0, CODE_CHARS_MAX - 1).join("")}…`}\``;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
}
