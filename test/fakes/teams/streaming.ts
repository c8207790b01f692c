import { z } from "zod";
import { badSyntax, Refusal } from "./refusal.ts";
import type { Conversation } from "./world.ts";
import type { Clock } from "../slack/clock.ts";

export const StreamInfo = z.strictObject({
  type: z.literal("streaminfo"),
  streamType: z.enum(["informative", "streaming", "final"]),
  streamSequence: z.number().int().min(1).optional(),
  streamId: z.string().optional(),
});
export type StreamInfo = z.infer<typeof StreamInfo>;

/** One streamed answer, from its first informative line to its end. */
export interface Stream {
  /** The activity's, from the first answer on. */
  id: string;
  conversation: Conversation;
  startedAt: number;
  lastAt: number;
  lastSequence: number;
  informative: string[];
  /** Every text, first to last; the final one too. */
  texts: string[];
  state: "open" | "canceled" | "timed_out" | "final";
}

export interface StreamRules {
  intervalMs: number;
  lifetimeMs: number;
}

export interface StreamPart {
  info: StreamInfo;
  type: "typing" | "message";
  text: string;
  /** Attachments, labels and feedback, which belong to the end. */
  adornments: readonly string[];
}

/** What to do with a part that was allowed. */
export type StreamStep = { step: "start" | "continue" | "final"; stream: Stream } | { step: "out_of_order" };

/** Of the one-on-one chats, one stream at a time in each. */
export interface Streams {
  readonly all: Stream[];
  /** @throws Refusal */
  take(conversation: Conversation, part: StreamPart, newId: () => string): StreamStep;
  /** The person pressed the native stop button. @throws Error when nothing streams there */
  cancel(conversation: Conversation): Stream;
}

const INFORMATIVE_CHARS_MAX = 1_000;

export function createStreams(clock: Clock, rules: StreamRules): Streams {
  const all: Stream[] = [];
  const openIn = (conversation: Conversation) =>
    all.find((each) => each.conversation === conversation && each.state === "open");

  const expire = (stream: Stream) => {
    if (stream.state === "open" && clock.now() - stream.startedAt > rules.lifetimeMs) stream.state = "timed_out";
  };

  const start = (conversation: Conversation, part: StreamPart, newId: () => string): StreamStep => {
    const { streamType, streamSequence } = part.info;
    if (streamType === "final") throw badSyntax("a final message needs the streamId of what it ends");
    if (streamSequence !== 1) throw badSyntax(`a stream starts with streamSequence 1, not ${streamSequence}`);
    for (const each of all) expire(each);
    if (openIn(conversation)) throw notAllowed("Content stream is not allowed", "a second stream in the same chat");
    const now = clock.now();
    const fresh = { startedAt: now, lastAt: now, lastSequence: 1, informative: [], texts: [] };
    const stream: Stream = { ...fresh, id: newId(), conversation, state: "open" };
    record(stream, part);
    all.push(stream);
    return { step: "start", stream };
  };

  const goOn = (stream: Stream, part: StreamPart): StreamStep => {
    expire(stream);
    refuseEnded(stream);
    const { streamType, streamSequence } = part.info;
    if (streamType === "final") return finish(stream, part);
    if (streamSequence === undefined) throw badSyntax("streamSequence is missing");
    if (streamSequence <= stream.lastSequence) return { step: "out_of_order" };
    const waitMs = stream.lastAt + rules.intervalMs - clock.now();
    if (waitMs > 0)
      throw new Refusal(429, "TooManyRequests", "API calls quota exceeded.", { headers: { "retry-after": "1" } });
    if (streamType === "informative" && stream.texts.length > 0)
      throw badSyntax("an informative update after the answer began");
    refuseLostText(stream, part);
    stream.lastSequence = streamSequence;
    stream.lastAt = clock.now();
    record(stream, part);
    return { step: "continue", stream };
  };

  return {
    all,
    take(conversation, part, newId) {
      refuseShape(part);
      if (conversation.kind !== "personal")
        throw notAllowed("Content stream is not allowed", `a stream in a ${conversation.kind}`);
      if (part.info.streamId === undefined) return start(conversation, part, newId);
      const stream = all.find((each) => each.id === part.info.streamId && each.conversation === conversation);
      if (!stream) throw badSyntax(`no stream ${part.info.streamId} here`);
      return goOn(stream, part);
    },
    cancel(conversation) {
      const stream = openIn(conversation);
      if (!stream) throw new Error(`Nothing streams in ${conversation.key}.`);
      stream.state = "canceled";
      return stream;
    },
  };
}

function finish(stream: Stream, part: StreamPart): StreamStep {
  refuseLostText(stream, part);
  stream.state = "final";
  record(stream, part);
  return { step: "final", stream };
}

function record(stream: Stream, { info, text }: StreamPart): void {
  if (info.streamType === "informative") stream.informative.push(text);
  else stream.texts.push(text);
}

function refuseShape({ info, type, text, adornments }: StreamPart): void {
  const final = info.streamType === "final";
  if (type === "typing" && final)
    throw badSyntax("Only start streaming and continue streaming types are allowed as a typing activity");
  if (type === "message" && !final) throw badSyntax("Only end streaming type is allowed as a message activity");
  if (final && info.streamSequence !== undefined) throw badSyntax("a final message has no streamSequence");
  if (!final && text === "") throw badSyntax("Start streaming activities should include text");
  if (!final && adornments.length > 0) throw badSyntax(`${adornments.join(", ")} before the final message`);
  if (info.streamType === "informative" && text.length > INFORMATIVE_CHARS_MAX)
    throw badSyntax(`an informative update of ${text.length} characters, which takes ${INFORMATIVE_CHARS_MAX}`);
}

/** @throws Refusal. What ended it is told in the message alone. */
function refuseEnded({ state }: Stream): void {
  if (state === "canceled") throw notAllowed("Content stream was canceled by user");
  if (state === "timed_out") throw notAllowed("Content stream finished due to exceeded streaming time.");
  if (state === "final") throw notAllowed("Content stream is not allowed on an already completed streamed message");
}

function refuseLostText(stream: Stream, { info, text }: StreamPart): void {
  const before = stream.texts.at(-1) ?? "";
  if (info.streamType === "informative" || text.startsWith(before)) return;
  const message = "Request streamed content should contain the previously streamed content";
  throw notAllowed(message, "streamed text that was shown before is gone");
}

function notAllowed(message: string, violation?: string): Refusal {
  return new Refusal(403, "ContentStreamNotAllowed", message, violation === undefined ? {} : { violation });
}
