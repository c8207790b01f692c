import { z } from "zod";

/** What a message's words can be in. Anything Slack adds is let through and not read. */
const Attachment = z.looseObject({
  text: z.string().nullish(),
  pretext: z.string().nullish(),
  title: z.string().nullish(),
  fallback: z.string().nullish(),
  author_name: z.string().nullish(),
  from_url: z.string().nullish(),
  /** A message that somebody forwarded. */
  is_share: z.boolean().nullish(),
  is_msg_unfurl: z.boolean().nullish(),
  fields: z.array(z.looseObject({ title: z.string().nullish(), value: z.string().nullish() })).nullish(),
});
type Attachment = z.infer<typeof Attachment>;

const Words = z.looseObject({
  text: z.string().nullish(),
  blocks: z.array(z.unknown()).nullish(),
  attachments: z.array(Attachment).nullish(),
});

export interface SlackNames {
  /** Whose mention is how people call the agent, so it is left out; null to keep every mention. */
  botUserId: string | null;
  /** Names by user id. Who is missing is called by their id. */
  users: ReadonlyMap<string, string>;
}

/**
 * Pure: a Slack message or event as plain text: names for ids, addresses behind links, entities decoded. The text of forwarded
 * messages and of other apps' attachments follows the message's own. Empty when it says nothing, or is no message.
 */
export function messageText(message: unknown, names: SlackNames): string {
  const words = Words.safeParse(message).data;
  if (!words) return "";
  const own = words.text?.trim() ? words.text : blocksText(words.blocks ?? []);
  const attached = (words.attachments ?? []).filter((attachment) => own.trim() === "" || !isLinkPreview(attachment));
  return [own, ...attached.map((attachment) => attachmentText(attachment))]
    .map((part) => plainText(part, names))
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Pure: the people that a message mentions, whose names `messageText` needs. */
export function mentionedUsers(message: unknown): string[] {
  const raw = JSON.stringify(message) ?? "";
  const inText = raw.matchAll(/<@([UW][A-Z0-9]+)/g);
  const inBlocks = raw.matchAll(/"user_id":"([UW][A-Z0-9]+)"/g);
  return [...new Set([...inText, ...inBlocks].map((match) => match[1] ?? ""))];
}

/** Pure: Slack's own markup as people read it. Marks such as `*bold*` stay: they say something. */
export function plainText(mrkdwn: string, names: SlackNames): string {
  const said = names.botUserId === null ? mrkdwn : withoutMention(mrkdwn, names.botUserId);
  return decodeEntities(said.replaceAll(TOKEN, (_, token: string) => tokenText(token, names))).trim();
}

/** Pure: text that Slack shows as it is, where it would read markup. */
export function escapeMrkdwn(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const TOKEN = /<([^<>\n]+)>/g;
const ENTITIES: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

function withoutMention(mrkdwn: string, userId: string): string {
  return mrkdwn
    .split(new RegExp(`[ \\t]*<@${userId}(?:\\|[^>]*)?>[ \\t]*`))
    .reduce((text, rest) =>
      text === "" || text.endsWith("\n") || /^(?:[,.:;!?\n]|$)/.test(rest) ? text + rest : `${text} ${rest}`,
    );
}

function tokenText(token: string, { users }: SlackNames): string {
  const bar = token.indexOf("|");
  const target = bar === -1 ? token : token.slice(0, bar);
  const label = bar === -1 ? "" : token.slice(bar + 1);
  if (target.startsWith("@")) return `@${users.get(target.slice(1)) ?? (label || target.slice(1))}`;
  if (target.startsWith("#")) return `#${label || target.slice(1)}`;
  if (target.startsWith("!")) return commandText(target.slice(1), label);
  const address = target.replace(/^(?:mailto|tel):/, "");
  return label === "" || label === address || label === target ? address : `${label} (${address})`;
}

/** `<!here>`, `<!subteam^S1|@ops>`, `<!date^1700000000^{date}|yesterday>`. */
function commandText(command: string, label: string): string {
  const name = command.split("^")[0] ?? "";
  if (name === "date") return label;
  if (label !== "") return label.startsWith("@") ? label : `@${label}`;
  return `@${command.split("^")[1] ?? name}`;
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}

function isLinkPreview(attachment: Attachment): boolean {
  return Boolean(attachment.from_url) && attachment.is_share !== true && attachment.is_msg_unfurl !== true;
}

function attachmentText(attachment: Attachment): string {
  const forwarded = attachment.is_share === true || attachment.is_msg_unfurl === true;
  const lines = [
    forwarded ? `[Forwarded message${attachment.author_name ? ` from ${attachment.author_name}` : ""}]` : "",
    attachment.pretext,
    forwarded ? "" : attachment.title,
    attachment.text,
    ...(attachment.fields ?? []).map(({ title, value }) => [title, value].filter(Boolean).join(": ")),
  ].filter(Boolean);
  return lines.length > 0 ? lines.join("\n") : (attachment.fallback ?? "");
}

const Node = z.looseObject({
  type: z.string(),
  text: z.unknown().optional(),
  elements: z.array(z.unknown()).optional(),
  fields: z.array(z.unknown()).optional(),
  user_id: z.string().optional(),
  channel_id: z.string().optional(),
  usergroup_id: z.string().optional(),
  range: z.string().optional(),
  url: z.string().optional(),
  name: z.string().optional(),
});
type Node = z.infer<typeof Node>;

const INLINE_CONTAINERS = new Set(["rich_text_section", "rich_text_preformatted", "rich_text_quote"]);

/** The words of blocks in the same markup as `text`, for messages that have no other. */
function blocksText(blocks: readonly unknown[]): string {
  return nodesText(blocks, "\n").trim();
}

function nodesText(nodes: readonly unknown[], between: string): string {
  return nodes
    .flatMap((candidate) => {
      const node = Node.safeParse(candidate).data;
      return node ? [nodeText(node)] : [];
    })
    .filter((text) => text !== "")
    .join(between);
}

function nodeText(node: Node): string {
  switch (node.type) {
    case "user":
      return `<@${node.user_id ?? ""}>`;
    case "channel":
      return `<#${node.channel_id ?? ""}>`;
    case "usergroup":
      return `<!subteam^${node.usergroup_id ?? ""}>`;
    case "broadcast":
      return `<!${node.range ?? ""}>`;
    case "emoji":
      return `:${node.name ?? ""}:`;
    case "link":
      return typeof node.text === "string" ? `<${node.url ?? ""}|${escapeMrkdwn(node.text)}>` : `<${node.url ?? ""}>`;
    case "text":
    case "plain_text":
    case "raw_text":
      return typeof node.text === "string" ? escapeMrkdwn(node.text) : "";
    case "mrkdwn":
    case "markdown":
      return typeof node.text === "string" ? node.text : "";
    // Buttons and menus are not words.
    case "actions":
    case "context_actions":
      return "";
    default:
      return [
        nodesText([node.text], ""),
        nodesText(node.fields ?? [], "\n"),
        nodesText(node.elements ?? [], INLINE_CONTAINERS.has(node.type) ? "" : "\n"),
      ]
        .filter((text) => text !== "")
        .join("\n");
  }
}
