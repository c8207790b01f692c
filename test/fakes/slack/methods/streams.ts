import { z } from "zod";
import { metadata, refuseLargeMetadata } from "../metadata.ts";
import { type Call, type Method, method, writableChannel } from "../method.ts";
import { blocksArgument, named, ownMessage, postAsApp, refuseContents, refuseLongMarkdown } from "../posting.ts";
import { invalid, Refusal } from "../refusal.ts";
import type { AgentSession, Message, Stream } from "../world.ts";
import { json, ts } from "../wire.ts";
import { blocksProblem } from "../block-limits.ts";

const chunk = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("markdown_text"), text: z.string().max(12_000) }),
  z.strictObject({
    type: z.literal("task_update"),
    id: z.string().min(1),
    title: z.string().min(1),
    status: z.enum(["pending", "in_progress", "complete", "error"]),
    details: z.string().optional(),
    output: z.string().optional(),
    sources: z.array(z.looseObject({ type: z.literal("url"), url: z.url(), text: z.string() })).optional(),
  }),
  z.strictObject({ type: z.literal("plan_update"), title: z.string().min(1) }),
  z.strictObject({ type: z.literal("blocks"), blocks: blocksArgument }),
]);
const written = { markdown_text: z.string().optional(), chunks: json(z.array(chunk).min(1)).optional() };
type Written = { markdown_text?: string | undefined; chunks?: z.infer<typeof chunk>[] | undefined };
const WRITE = ["chat:write"];

const start = method(
  { scopes: WRITE, tier: 2 },
  {
    channel: z.string(),
    thread_ts: ts,
    ...written,
    recipient_user_id: z.string().optional(),
    recipient_team_id: z.string().optional(),
    task_display_mode: z.enum(["timeline", "plan"]).optional(),
  },
  (call, args) => {
    const channel = writableChannel(call, args.channel);
    if (channel.kind !== "im") refuseRecipient(call, args.recipient_user_id, args.recipient_team_id);
    const text = textOf(args);
    const message = postAsApp(call, channel.id, { text, threadTs: args.thread_ts });
    const key = `${channel.id}:${message.ts}`;
    const startedAt = call.world.clock.now();
    call.world.streams.set(key, { channel: channel.id, ts: message.ts, startedAt, open: true });
    setSession(call, channel.id, args.thread_ts, "processing");
    return { channel: channel.id, ts: message.ts };
  },
);

const append = method({ scopes: WRITE, tier: 4 }, { channel: z.string(), ts, ...written }, (call, args) => {
  if (args.markdown_text === undefined && !args.chunks) throw invalid("no_text", ["nothing to append"]);
  const { message } = openStream(call, args.channel, args.ts);
  message.text += textOf(args);
  return { channel: message.channel, ts: message.ts };
});

const stop = method(
  { scopes: WRITE, tier: 2 },
  {
    channel: z.string(),
    ts,
    ...written,
    blocks: blocksArgument.optional(),
    metadata: metadata.optional(),
    session_status: z.enum(["processing", "active", "suspended", "closed"]).optional(),
  },
  (call, args) => {
    refuseLargeMetadata(args.metadata);
    const problem = blocksProblem(args.blocks ?? []);
    if (problem) throw invalid(problem.code, [problem.problem]);
    const { message, stream } = openStream(call, args.channel, args.ts);
    message.text += textOf(args);
    if (message.text) refuseContents({ text: message.text });
    message.blocks = named(args.blocks ?? []);
    message.metadata = args.metadata ?? message.metadata;
    stream.open = false;
    if (message.threadTs !== null && args.session_status)
      setSession(call, message.channel, message.threadTs, args.session_status);
    return { channel: message.channel, ts: message.ts, message: { text: message.text, ts: message.ts } };
  },
);

export const streamMethods: Record<string, Method> = {
  "chat.startStream": start,
  "chat.appendStream": append,
  "chat.stopStream": stop,
};

function refuseRecipient({ world }: Call, user: string | undefined, team: string | undefined): void {
  if (user === undefined) throw invalid("missing_recipient_user_id", ["a stream outside a DM without its recipient"]);
  if (team === undefined) throw invalid("missing_recipient_team_id", ["a stream outside a DM without its recipient"]);
  if (!world.teams.has(team)) throw new Refusal("team_not_found");
  if (world.users.get(user)?.teamId !== team) throw new Refusal("user_not_found");
}

/** @throws Refusal when it ended, was ended, or never was */
function openStream(call: Call, channel: string, messageTs: string): { message: Message; stream: Stream } {
  const message = ownMessage(call, channel, messageTs, "message_not_owned_by_app");
  const stream = call.world.streams.get(`${message.channel}:${message.ts}`);
  const age = call.world.clock.now() - (stream?.startedAt ?? 0);
  if (stream && age >= call.settings.streamLifetimeMs) stream.open = false;
  if (!stream?.open) throw new Refusal("message_not_in_streaming_state");
  return { message, stream };
}

function setSession({ world }: Call, channel: string, threadTs: string, status: AgentSession["status"]): void {
  const key = `${channel}:${threadTs}`;
  world.sessions.set(key, { channel, threadTs, title: world.sessions.get(key)?.title ?? null, status });
}

/** @throws Refusal */
function textOf({ markdown_text, chunks = [] }: Written): string {
  if (markdown_text !== undefined && chunks.length > 0)
    throw invalid("invalid_arguments", ["markdown_text and chunks"]);
  refuseLongMarkdown(markdown_text);
  return (markdown_text ?? "") + chunks.map((each) => (each.type === "markdown_text" ? each.text : "")).join("");
}
