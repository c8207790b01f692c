import { setTimeout as delay } from "node:timers/promises";
import { outcomeOf } from "./burst-outcome.ts";
import { atMost, type Bench, type Figure } from "./figure.ts";
import { p50 } from "./percentiles.ts";
import { overLimit } from "./posting-limit.ts";
import { type SlackRig, startSlackRig } from "./slack-rig.ts";
import type { SentMention, SlackCall } from "./slack-wire.ts";

const MENTIONS = 500;
const CHANNELS = 50;
const PEOPLE = 20;
/** Every tenth. */
const REDELIVERED = 50;
const POLL_MS = 1_000;
/** At Slack's pace for a workspace, two posts for each mention take more than three minutes. */
const TIMEOUT_MS = 600_000;
/** After the last answer, for one too many. */
const SETTLE_MS = 5_000;
/** What the model server says. */
const ANSWER = "Done.";
/** Slack: one message a second in a channel, short bursts allowed. */
const CHANNEL_LIMIT = { burst: 3, intervalMs: 1_000 };

/**
 * Mentions at once, each twice as Slack sends them and some delivered again: whether each has one session and one answer, and
 * whether the posts kept Slack's pace, by the clock of the server they came to.
 */
export async function measureMentionBurst(bench: Bench): Promise<Figure[]> {
  const rig = await startSlackRig(bench);
  bench.say(`${MENTIONS} mentions at once in ${CHANNELS} channels`);
  const messages = Array.from({ length: MENTIONS }, (_, at) => ({
    channel: `C0BURST${at % CHANNELS}`,
    user: `U0PERSON${at % PEOPLE}`,
    text: `Say that you are done with ${at}.`,
  }));
  const mentions = await rig.slack.mention({ url: rig.eventsUrl, messages, redelivered: REDELIVERED });
  bench.say("all acknowledged; waiting for the answers, at Slack's pace");
  await untilAnswered(rig, bench);
  await delay(SETTLE_MS, undefined, { signal: bench.signal });
  return figures(mentions, await rig.slack.calls(), await sessionsOf(rig), await committedAt(rig));
}

/** Until there is an answer for each, or no more to be expected. */
async function untilAnswered({ slack }: SlackRig, bench: Bench): Promise<void> {
  const until = Date.now() + TIMEOUT_MS;
  while (Date.now() < until) {
    const answered = new Set((await slack.calls()).filter(isAnswer).map(({ message }) => message));
    if (answered.size >= MENTIONS) return;
    await delay(POLL_MS, undefined, { signal: bench.signal });
  }
}

const isPost = ({ method }: SlackCall) => method === "chat.postMessage";
const isAnswer = (call: SlackCall) => isPost(call) && call.text === ANSWER;

/** The root's `ts` of each session's thread. */
async function sessionsOf({ pool }: SlackRig): Promise<string[]> {
  const { rows } = await pool.query<{ thread: string }>(
    "SELECT metadata->>'chat_thread' AS thread FROM sessions WHERE metadata ? 'chat_thread'",
  );
  return rows.map(({ thread }) => thread.slice(thread.lastIndexOf(":") + 1));
}

/** When each message was noted as taken in, in ms since the epoch: after its `user.message` was committed. */
async function committedAt({ pool }: SlackRig): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ message_id: string; at: number }>(
    `SELECT message_id, (extract(epoch FROM settled_at) * 1000)::float8 AS at
     FROM chat_inbound WHERE event_id IS NOT NULL`,
  );
  return new Map(rows.map(({ message_id, at }) => [message_id, at]));
}

function figures(
  mentions: readonly SentMention[],
  calls: readonly SlackCall[],
  sessions: readonly string[],
  committed: ReadonlyMap<string, number>,
): Figure[] {
  const answers = calls.filter(isAnswer);
  const { lost, doubled } = outcomeOf(mentions, { sessions, answers: answers.map(({ message }) => message ?? "") });
  const posts = calls.filter(isPost).map(({ channel, receivedAt }) => ({ key: channel ?? "", at: receivedAt }));
  const sentAt = Math.min(...mentions.map((mention) => mention.sentAt));
  const committedAfter = mentions.map(({ ts }) => (committed.get(ts) ?? Number.POSITIVE_INFINITY) - sentAt);
  const figure = (name: string, value: number, unit: Figure["unit"], limit: number | null, note: string): Figure => ({
    name: `mention_burst.${name}`,
    value,
    unit,
    floor: null,
    ratio: null,
    target: limit === null ? null : atMost(limit),
    note,
  });
  const what = `of ${MENTIONS} mentions at once in ${CHANNELS} channels`;
  const seconds = (at: number) => (at - sentAt) / 1000;
  return [
    figure("lost", lost, "mentions", 0, `without session or answer, ${what}`),
    figure("doubled", doubled, "mentions", 0, `with more than one session or answer, ${what}`),
    figure("over_limit", overLimit(posts, CHANNEL_LIMIT), "posts", 0, `of ${posts.length}, over 1/s a channel after 3`),
    figure(
      "acknowledged_max",
      Math.max(...mentions.map((each) => each.acknowledgedAt - each.sentAt)),
      "ms",
      3_000,
      "the slowest answer by HTTP",
    ),
    figure("committed_p50", p50(committedAfter), "ms", null, "first mention sent to user.message committed and noted"),
    figure("committed_max", Math.max(...committedAfter), "ms", null, "the same, the last of them"),
    figure(
      "answered_max",
      seconds(Math.max(...answers.map((each) => each.receivedAt))),
      "s",
      null,
      "to the last answer, at Slack's pace of 300 posts a minute",
    ),
  ];
}
