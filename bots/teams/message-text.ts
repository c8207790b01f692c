import type { Activity } from "./activity.ts";

const NAMED_ENTITIES: Record<string, string> = { nbsp: " ", lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const ENTITY = /&(?:#(?<code>\d{1,7})|#x(?<hex>[0-9a-f]{1,6})|(?<name>nbsp|lt|gt|quot|apos|amp));/gi;
const LINE_ENDS = /<br\s*\/?>|<\/(?:p|div|li|h[1-6]|tr|pre|blockquote)>/gi;
const TAG = /<\/?[a-z][^<>]*>/gi;
const MENTION = /<at[^<>]*>(?<name>[^<>]*)<\/at>/gi;
/** The app's own command, as people know it from elsewhere: what follows it is the command. */
const OWN_COMMAND = /^\/deckhand\b\s*(?<rest>.*)$/is;
const CODE_POINT_MAX = 0x10_ff_ff;

/** What of an activity its words are in. */
export type WrittenText = Pick<Activity, "text" | "textFormat" | "entities" | "recipient">;

/** Pure: what a person wrote, as the agent should read it: mentions of the agent gone, names for those of others. */
export function messageText({ text, textFormat, entities, recipient }: WrittenText): string {
  let words = text ?? "";
  for (const entity of entities ?? []) {
    if (entity.type === "mention" && entity.mentioned?.id === recipient.id && entity.text) {
      words = words.replaceAll(entity.text, " ");
    }
  }
  words = words.replaceAll(MENTION, (_, name: string) => `@${name}`);
  if (textFormat === "xml") words = words.replaceAll(LINE_ENDS, "\n").replaceAll(TAG, "");
  return tidy(withoutEntities(words));
}

/** Pure: `/deckhand stop` is `/stop`; everything else stays. */
export function ownCommand(words: string): string {
  const rest = OWN_COMMAND.exec(words)?.groups?.["rest"];
  if (rest === undefined) return words;
  return rest === "" ? "/help" : `/${rest.replace(/^\//, "")}`;
}

/** Pure: whether the agent was called. */
export function mentionsAgent({ entities, recipient }: Activity): boolean {
  return (entities ?? []).some(({ type, mentioned }) => type === "mention" && mentioned?.id === recipient.id);
}

function withoutEntities(text: string): string {
  return text.replaceAll(ENTITY, (whole: string, ...rest: unknown[]) => {
    const { code, hex, name } = rest.at(-1) as Record<"code" | "hex" | "name", string | undefined>;
    if (name !== undefined) return NAMED_ENTITIES[name.toLowerCase()] ?? whole;
    const point = code === undefined ? Number.parseInt(hex ?? "", 16) : Number(code);
    return point > 0 && point <= CODE_POINT_MAX ? String.fromCodePoint(point) : whole;
  });
}

/** Where a mention or a `&nbsp;` was, blanks are left over. Those that begin a line may be code. */
function tidy(text: string): string {
  return text
    .replaceAll("\u00a0", " ")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/[ \t]+$/gm, "")
    .replace(/^\s+/, "")
    .trimEnd();
}
