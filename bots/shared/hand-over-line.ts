import { plainWords } from "./plain-words.ts";
import { notice, type Notice } from "./render.ts";

const WORDS_CHARS_MAX = 200;

/** Pure: says in a thread who asked for what, where the request itself is not to be seen there. */
export function handOverLine(name: string, words: string): Notice {
  const line = plainWords(words);
  const shown = line.length <= WORDS_CHARS_MAX ? line : `${line.slice(0, WORDS_CHARS_MAX).trimEnd()}…`;
  return notice("info", `**${plainWords(name)}** handed this to me: ${shown}`);
}
