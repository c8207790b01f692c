export type DecisionWords = { type: "approve" } | { type: "deny"; reason: string | null };

const POLITE = /^(?:(?:ok(?:ay)?|alright|great|perfect|please|pls|hey|deckhand)[\s,.!-]+)+/i;
const POLITE_END = /[\s,]+(?:please|pls|thanks|thank you)$/i;
const OBJECT = "(?: (?:it|this|that|the (?:request|call|command|tool)))?";

const YES = /^(?:yes|yep|yeah|yup|sure|of course|absolutely|👍|✅)$/iu;
const GO = new RegExp(
  `^(?:(?:yes|yep|yeah|yup|sure|of course|absolutely|fine)[\\s,.!-]+)?(?:please )?(?:${[
    `(?:i )?approved?${OBJECT}`,
    "go(?: ahead| for it)?",
    "do (?:it|this|that|so)",
    `run${OBJECT}`,
    "proceed",
    `allow(?:ed)?${OBJECT}`,
    `confirm(?:ed)?${OBJECT}`,
    "lgtm|sgtm",
    "(?:that )?(?:looks|sounds) good(?: to me)?",
    "ship it",
    "you may",
  ].join("|")})$`,
  "i",
);

const NO = "no|nope|nah|no way|👎|❌|🚫";
const DONT = `(?:(?:no|nope)[\\s,.!-]+)?(?:please )?(?:do not|don['’]?t)(?: (?:do|run|approve|allow)${OBJECT})?`;
const REFUSED = `(?:i )?(?:den(?:y|ied)|reject(?:ed)?|declined?|refused?|disapproved?)${OBJECT}`;
/** A comma after a bare "no" begins a message more often than a reason: "no, use the other table". */
const CLEAR_BREAK = "\\s*[:;—–]\\s*|\\s+-+\\s+|[\\s,]+because\\s+";
const ANY_BREAK = `${CLEAR_BREAK}|\\s*[,.!]\\s+`;
const DENIALS: readonly RegExp[] = [
  new RegExp(`^(?:${NO})(?:(?:${CLEAR_BREAK})(?<reason>.+))?$`, "isu"),
  new RegExp(`^(?:${DONT}|${REFUSED})(?:(?:${ANY_BREAK})(?<reason>.+))?$`, "isu"),
  // The plain word takes a reason without more ado, as the command it is: "deny too risky".
  /^deny\s+(?<reason>.+)$/is,
];

/**
 * Pure: what a person says to an open approval; null when it is anything but a clear yes or no, as in "yes, but use the
 * other table" or "approved?".
 */
export function parseDecision(text: string): DecisionWords | null {
  const line = text.trim();
  if (line.endsWith("?")) return null;
  const bare = line
    .replace(/[.!…\s]+$/u, "")
    .replace(POLITE, "")
    .replace(POLITE_END, "");
  if (YES.test(bare) || GO.test(bare)) return { type: "approve" };
  for (const denial of DENIALS) {
    const match = denial.exec(bare);
    if (match) return { type: "deny", reason: match.groups?.["reason"]?.trim() ?? null };
  }
  return null;
}
