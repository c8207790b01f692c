import { oneLine } from "./activity-size.ts";

/** A source as Teams shows it: a number in the text that opens what it stands for. */
export interface Citation {
  position: number;
  name: string;
  url: string;
}

const CITATIONS_MAX = 10;
const NAME_CHARS_MAX = 80;
const ABSTRACT_CHARS_MAX = 160;
/** `[1]: https://example.com/report "The report"`, a line of its own. */
const DEFINITION = /^ {0,3}\[(\d{1,3})\]:\s+<?(https?:\/\/[^\s<>]+)>?(?:\s+"([^"\n]*)")?\s*$/;

/** Pure: takes the definitions of numbered references that the text uses out of Markdown. */
export function takeCitations(markdown: string): { markdown: string; citations: Citation[] } {
  const citations = new Map<number, Citation>();
  const kept: string[] = [];
  for (const line of markdown.split("\n")) {
    const [whole, digits = "", url = "", title = ""] = DEFINITION.exec(line) ?? [];
    const position = Number(digits);
    const uses = markdown.split(`[${digits}]`).length - 1;
    const takes = whole !== undefined && position > 0 && uses > 1 && URL.canParse(url) && !citations.has(position);
    if (!takes || citations.size === CITATIONS_MAX) kept.push(line);
    else citations.set(position, { position, url, name: title.trim() === "" ? new URL(url).hostname : title });
  }
  if (citations.size === 0) return { markdown, citations: [] };
  return { markdown: kept.join("\n").trim(), citations: [...citations.values()] };
}

/** Pure: for the entity that labels a message. */
export function citationClaim({ position, name, url }: Citation): Record<string, unknown> {
  return {
    "@type": "Claim",
    position,
    appearance: {
      "@type": "DigitalDocument",
      name: oneLine(name, NAME_CHARS_MAX),
      url,
      abstract: oneLine(url, ABSTRACT_CHARS_MAX),
    },
  };
}
