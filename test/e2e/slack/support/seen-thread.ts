import { chatThreadKey, type ChatThreadKey } from "../../../../bots/shared/chat-thread.ts";
import { pollUntil } from "../../../../src/embedded/poll.ts";
import type { Message } from "../../../fakes/slack/world.ts";
import type { LogEntry } from "../../support/session-log.ts";
import type { FakeSlackCluster } from "./fake-slack-cluster.ts";

const WAIT_MS = 60_000;
const WAIT = { timeoutMs: WAIT_MS, signal: AbortSignal.any([]) };
const STATUS = /^(Working|Waiting for you|Done|Stopped|Failed)(?=:|$)/;
const APPROVAL = /^:(?:raised_hand|white_check_mark|no_entry_sign|hourglass|heavy_minus_sign): \*/;

/** A thread of our fake: what people see of it, and what stands behind it. */
export interface SeenThread {
  channel: string;
  ts: string;
  key: ChatThreadKey;
  /** Answers and notices that the app posted, oldest first. */
  said(): string[];
  /** Heads of the status messages, one a turn. */
  statuses(): string[];
  /** The status message of the latest turn. */
  statusMessage(): Message | undefined;
  approvals(): Message[];
  fileMessages(): Message[];
  /** Of the message that a person wrote. */
  reactions(ts?: string): string[];
  /** Waits until the app has said something with these words. */
  says(words: string): Promise<Message>;
  /** Waits until the latest turn's status is this. */
  reaches(status: string, turns?: number): Promise<Message>;
  /** Waits until lists of threads show it in this state, which they do a moment after the thread. */
  isNoted(state: "working" | "done"): Promise<void>;
  /** Waits until the thread has a session. */
  session(): Promise<string>;
  log(): Promise<LogEntry[]>;
  /** Another message of a person in it. */
  say(user: string, text: string): string;
}

export function seeThread(cluster: FakeSlackCluster, channel: string, ts: string, team = "T01ACME"): SeenThread {
  const { slack, records, database } = cluster;
  const key = chatThreadKey({ surface: "slack", team, channel, threadTs: ts });
  const posts = () =>
    slack.thread(channel, ts).filter(({ botId, ephemeralFor }) => botId !== null && ephemeralFor === null);
  const statusMessages = () => posts().filter(({ text }) => STATUS.test(text));
  const words = () =>
    posts().filter(({ text, fileIds }) => !STATUS.test(text) && !APPROVAL.test(text) && fileIds.length === 0);
  const until = async <Found>(what: string, probe: () => Found | undefined) => {
    try {
      return await slack.until(`${what} in ${key}`, probe, WAIT_MS);
    } catch (error) {
      throw new Error(`The thread has ${JSON.stringify(posts().map(({ text }) => text))}.`, { cause: error });
    }
  };
  const session = () =>
    pollUntil(`a session of ${key}`, async () => (await records.directory.reading(key)).sessionId ?? undefined, WAIT);
  return {
    channel,
    ts,
    key,
    said: () => words().map(({ text }) => text),
    statuses: () => statusMessages().map(({ text }) => STATUS.exec(text)?.[0] ?? ""),
    statusMessage: () => statusMessages().at(-1),
    approvals: () => posts().filter(({ text }) => APPROVAL.test(text)),
    fileMessages: () => posts().filter(({ fileIds }) => fileIds.length > 0),
    reactions: (of = ts) =>
      (slack.thread(channel, ts).find((each) => each.ts === of)?.reactions ?? []).map(({ name }) => name),
    says: (part) => until(`words "${part}"`, () => words().find(({ text }) => text.includes(part))),
    reaches: (status, turns = 1) =>
      until(`the status ${status} of turn ${turns}`, () => {
        const message = statusMessages()[turns - 1];
        return message?.text.startsWith(status) ? message : undefined;
      }),
    async isNoted(state) {
      const noted = async () => (await records.directory.summary(key))?.state === state || undefined;
      await pollUntil(`${key} to be noted as ${state}`, noted, WAIT);
    },
    session,
    log: async () => database.log(await session()),
    say: (user, text) => slack.say({ channel, user, text, threadTs: ts }).ts,
  };
}

/** A message that mentions the app, and the thread that it begins; in a channel of its own when none is named. */
export function mention(
  cluster: FakeSlackCluster,
  text: string,
  { channel = newChannel(cluster), user = "U01ALICE" } = {},
) {
  return seeThread(cluster, channel, cluster.slack.say({ channel, user, text: `<@U0BOT> ${text}` }).ts);
}

/** A channel where nobody else posts, so that its pace makes nothing wait. With Alice, Bob and the guest of T01ACME. */
export function newChannel({ slack: { world } }: FakeSlackCluster): string {
  const id = world.nextId("C5");
  const members = ["U01ALICE", "U02BOB", "U03GUEST", "U0BOT"];
  world.channels.set(id, {
    id,
    name: id.toLowerCase(),
    kind: "public",
    teamIds: ["T01ACME"],
    members,
    archived: false,
    extShared: false,
  });
  return id;
}
