import { fenceAfter, inlineText } from "../shared/markdown-tables.ts";
import { escapeMrkdwn } from "./mrkdwn.ts";

/** Pure: Markdown in Slack's own markup, for where Slack takes no other, such as a notification. */
export function toMrkdwn(markdown: string): string {
  let fence: string | null = null;
  return markdown
    .split("\n")
    .map((line) => {
      const inCode = fence !== null;
      fence = fenceAfter(fence, line);
      if (inCode !== (fence !== null)) return "```";
      return inCode ? escapeMrkdwn(line) : mrkdwnLine(line);
    })
    .join("\n");
}

function mrkdwnLine(line: string): string {
  const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
  if (heading !== undefined) return heading === "" ? "" : `*${escapeMrkdwn(inlineText(heading)).replaceAll("*", "")}*`;
  const quote = /^ {0,3}>\s?(.*)$/.exec(line)?.[1];
  if (quote !== undefined) return `> ${mrkdwnInline(quote)}`;
  const item = /^(\s*)[-*+]\s+(.*)$/.exec(line);
  return item ? `${item[1] ?? ""}• ${mrkdwnInline(item[2] ?? "")}` : mrkdwnInline(line);
}

function mrkdwnInline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => (part.startsWith("`") && part.length > 1 ? escapeMrkdwn(part) : mrkdwnWords(part)))
    .join("");
}

function mrkdwnWords(text: string): string {
  return escapeMrkdwn(text)
    .replaceAll(/!?\[([^\]]*)\]\((https?:\/\/[^)\s|]+)[^)]*\)/g, (_, label: string, url: string) =>
      label === "" ? `<${url}>` : `<${url}|${label.replaceAll(/[|*]/g, "")}>`,
    )
    .replaceAll(/(?<![*\w])\*(?!\*)(\S(?:[^*]*?\S)?)\*(?![*\w])/g, "_$1_")
    .replaceAll(/(\*\*|__)(\S(?:.*?\S)?)\1/g, "*$2*")
    .replaceAll(/~~(\S(?:.*?\S)?)~~/g, "~$1~");
}
