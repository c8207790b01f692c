import { z } from "zod";

/** The one workspace and app of the Slack that figures are measured against. */
export const TEAM = "T0BENCH001";
export const BOT_USER = "U0BENCHBOT";
export const BOT_TOKEN = "xoxb-bench";
export const SIGNING_SECRET = "bench-signing-secret";

/** A call of the Web API as the Slack server had it; times as `epochMs`. */
export const SlackCall = z.object({
  method: z.string(),
  receivedAt: z.number(),
  channel: z.string().nullable(),
  /** `ts` of the thread that it is for, or of the message. */
  message: z.string().nullable(),
  text: z.string(),
});
export type SlackCall = z.infer<typeof SlackCall>;

/** What the Slack server is to send, all of it at once: a new message in a channel for each. */
export const Mentions = z.object({
  /** Where the app takes events. */
  url: z.url(),
  messages: z.array(z.object({ channel: z.string(), user: z.string(), text: z.string() })),
  /** How many of them are delivered again though they were acknowledged. */
  redelivered: z.number().int(),
});
export type Mentions = z.infer<typeof Mentions>;

export const SentMention = z.object({
  channel: z.string(),
  ts: z.string(),
  /** Just before the request was made; as `epochMs`. */
  sentAt: z.number(),
  /** The answer to the first delivery that had a good one. */
  acknowledgedAt: z.number(),
});
export type SentMention = z.infer<typeof SentMention>;
