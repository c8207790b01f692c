import { z } from "zod";
import { blocksProblem } from "./block-limits.ts";
import { type Block, messageBlock } from "./blocks.ts";
import { messageWire } from "./message-wire.ts";
import { type Call, threadRoot, writableChannel } from "./method.ts";
import { invalid, Refusal } from "./refusal.ts";
import { type Message, type Metadata, threadOf } from "./world.ts";
import { json } from "./wire.ts";

export const MARKDOWN_TEXT_CHARS_MAX = 12_000;
const TEXT_CHARS_MAX = 40_000;
/** Of `chat.update` alone: bytes, after `&`, `<` and `>` were escaped. Reported by others, not documented. */
const UPDATED_TEXT_BYTES_MAX = 4_000;
const BLOCKS_MAX = 50;

export const blocksArgument = json(z.array(messageBlock).max(BLOCKS_MAX));
export const contents = {
  text: z.string().optional(),
  blocks: blocksArgument.optional(),
  attachments: json(z.array(z.looseObject({ fallback: z.string() })).max(20)).optional(),
  markdown_text: z.string().optional(),
};

export interface Contents {
  text?: string | undefined;
  blocks?: Block[] | undefined;
  attachments?: unknown[] | undefined;
  markdown_text?: string | undefined;
}

/** @throws Refusal for what a message can't be made of */
export function refuseContents({ text, blocks, attachments, markdown_text }: Contents): void {
  if (markdown_text !== undefined) {
    if (text !== undefined || blocks) throw invalid("markdown_text_conflict", ["markdown_text with text or blocks"]);
    refuseLongMarkdown(markdown_text);
  }
  if (!text && !blocks?.length && !attachments?.length && !markdown_text) throw invalid("no_text", ["nothing to say"]);
  if (text !== undefined && text.length > TEXT_CHARS_MAX)
    throw invalid("msg_too_long", [`text of ${text.length} characters, which Slack would cut or refuse`]);
  const problem = blocksProblem(blocks ?? []);
  if (problem) throw invalid(problem.code, [problem.problem]);
}

/** @throws Refusal */
export function refuseLongUpdate(text: string | undefined): void {
  const escaped = (text ?? "").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const bytes = Buffer.byteLength(escaped);
  if (bytes > UPDATED_TEXT_BYTES_MAX) throw invalid("msg_too_long", [`an updated text of ${bytes} bytes, escaped`]);
}

/** @throws Refusal */
export function refuseLongMarkdown(markdown: string | undefined): void {
  if ((markdown ?? "").length > MARKDOWN_TEXT_CHARS_MAX) throw invalid("msg_too_long", ["markdown_text over 12,000"]);
}

export interface Posted extends Contents {
  threadTs?: string | undefined;
  metadata?: Metadata | undefined;
  fileIds?: string[];
}

/**
 * The app's message, stored and told of.
 * @throws Refusal when it may not go there
 */
export function postAsApp(call: Call, channelId: string, posted: Posted): Message {
  const { world, installation, publish, settings } = call;
  const channel = writableChannel(call, channelId);
  if (posted.threadTs !== undefined) threadRoot(call, channel.id, posted.threadTs);
  const message: Message = {
    channel: channel.id,
    ts: world.clock.nextTs(),
    team: channel.teamIds.find((team) => installation.teamIds.includes(team)) ?? installation.id,
    user: installation.botUserId,
    botId: installation.botId,
    text: posted.markdown_text ?? posted.text ?? "",
    blocks: named(posted.blocks ?? []),
    attachments: posted.attachments ?? [],
    metadata: posted.metadata ?? null,
    threadTs: posted.threadTs ?? null,
    fileIds: posted.fileIds ?? [],
    edited: null,
    reactions: [],
    subtype: posted.fileIds?.length ? "file_share" : null,
    ephemeralFor: null,
  };
  world.messages.push(message);
  publish(channel, {
    ...messageWire(world, message, settings.origin, true),
    channel: channel.id,
    event_ts: message.ts,
  });
  return message;
}

/** Slack gives every block an id. */
export function named(blocks: readonly Block[]): Block[] {
  return blocks.map((block, index) => ({ ...block, block_id: block.block_id ?? `b${index}` }));
}

/** @throws Refusal unless the app posted it and it is still there */
export function ownMessage(call: Call, channelId: string, ts: string, refusal: string): Message {
  const channel = writableChannel(call, channelId);
  const message = call.world.messages.find((each) => each.channel === channel.id && each.ts === ts);
  if (!message || message.ephemeralFor || message.subtype === "tombstone") throw new Refusal("message_not_found");
  if (message.botId !== call.installation.botId) throw new Refusal(refusal);
  return message;
}

/** Takes a message away; a root with replies leaves a tombstone. */
export function removeMessage(call: Pick<Call, "world">, message: Message): void {
  if (threadOf(call.world, message.channel, message.ts).length > 1) {
    Object.assign(message, { subtype: "tombstone", text: "This message was deleted.", user: "USLACKBOT", botId: null });
    Object.assign(message, { blocks: [], attachments: [], metadata: null, fileIds: [], reactions: [] });
    return;
  }
  call.world.messages.splice(call.world.messages.indexOf(message), 1);
}
