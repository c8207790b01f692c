import { z } from "zod";

const Timing = { delay_ms: z.number().optional() };

/** One answer of the scripted model. */
export const Answer = z.union([
  /** Text, in `chunks` deltas with `chunk_ms` between them. */
  z.strictObject({ say: z.string(), chunks: z.number().int().optional(), chunk_ms: z.number().optional(), ...Timing }),
  z.strictObject({ bash: z.string(), timeout_ms: z.number().optional(), ...Timing }),
  z.strictObject({ calls: z.array(z.strictObject({ name: z.string(), input: z.unknown() })), ...Timing }),
  /** A page of HTML where a stream of events was asked for. */
  z.strictObject({ nonsense: z.literal(true), ...Timing }),
  /** The start of a stream, then silence. */
  z.strictObject({ hang: z.literal(true), ...Timing }),
]);
export type Answer = z.infer<typeof Answer>;

export const MessagesRequest = z.object({
  model: z.string(),
  messages: z.array(
    z.object({
      role: z.enum(["user", "assistant"]),
      content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]),
    }),
  ),
});
export type MessagesRequest = z.infer<typeof MessagesRequest>;

const PREFIX = "Play: ";
const DONE: Answer = { say: "Done." };

/** The text of a user message that makes the model server answer so, one answer after the other, then with "Done.". */
export function scriptOf(...answers: Answer[]): string {
  return PREFIX + JSON.stringify(answers);
}

/**
 * What the script in the last scripted user message has next: as many answers of the model as follow that message are
 * played already. So the server needs no memory, and a request that is made again gets the same answer. Pure.
 */
export function nextAnswer({ messages }: MessagesRequest): Answer {
  for (let at = messages.length - 1; at >= 0; at--) {
    const script = messages[at]?.role === "user" ? scriptIn(textsOf(messages[at]?.content)) : null;
    if (!script) continue;
    const played = messages.slice(at + 1).filter(({ role }) => role === "assistant").length;
    return script[played] ?? DONE;
  }
  return DONE;
}

function scriptIn(texts: string[]): Answer[] | null {
  const text = texts.findLast((given) => given.startsWith(PREFIX));
  return text === undefined ? null : z.array(Answer).parse(JSON.parse(text.slice(PREFIX.length)));
}

function textsOf(content: MessagesRequest["messages"][number]["content"] | undefined): string[] {
  if (typeof content === "string") return [content];
  return (content ?? []).flatMap(({ type, text }) => (type === "text" && text !== undefined ? [text] : []));
}
