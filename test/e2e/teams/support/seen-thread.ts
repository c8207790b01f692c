import type { ChatThreadKey } from "../../../../bots/shared/chat-thread.ts";
import { teamsThreadKey } from "../../../../bots/teams/teams-thread.ts";
import { pollUntil } from "../../../../src/embedded/poll.ts";
import { FILE_CONSENT } from "../../../fakes/teams/activity-rules.ts";
import { type Activity, conversationOf } from "../../../fakes/teams/world.ts";
import type { LogEntry } from "../../support/session-log.ts";
import type { Said, Saying } from "../../../fakes/teams/people.ts";
import type { TeamsCluster } from "./teams-cluster.ts";

const WAIT_MS = 60_000;
const WAIT = { timeoutMs: WAIT_MS, signal: AbortSignal.any([]) };
const STATUS = /^\S+ (Working|Waiting for you|Done|Stopped|Failed)(?=:|$)/u;
const APPROVAL = /^(?:✋ May I|✅ Approved|🚫 Denied|⌛ Nobody|➖ No longer)/u;

/** A thread of our fake: what people see of it, and what stands behind it. */
export interface SeenThread {
  /** The conversation's key in the fake. */
  conversation: string;
  rootId: string | null;
  key: ChatThreadKey;
  /** Answers and notices that the app posted for everybody, oldest first. */
  said(): string[];
  /** Heads of the status cards, one a turn. */
  statuses(): string[];
  /** The status card of the latest turn. */
  statusCard(): Activity | undefined;
  approvals(): Activity[];
  /** Messages that files came with, but for those that ask for consent. */
  fileMessages(): Activity[];
  /** Cards that ask whether a file may be saved, as long as they ask. */
  consentCards(): Activity[];
  /** Waits until the app has said something with these words. */
  says(words: string): Promise<Activity>;
  /** Waits until that turn's status is this. */
  reaches(status: string, turn?: number): Promise<Activity>;
  /** Waits until the turn is followed live, so that what the model writes from then on can be seen being written. */
  isFollowed(): Promise<unknown>;
  /** Waits for what is neither status nor words. */
  until<Found>(what: string, probe: () => Found | undefined | null | false): Promise<Found>;
  /** Waits until lists of threads show it in this state, which they do a moment after the thread. */
  isNoted(state: "working" | "done"): Promise<void>;
  /** Waits until the thread has a session. */
  session(): Promise<string>;
  log(): Promise<LogEntry[]>;
  /** Waits until the session was told that many messages, or more. */
  isTold(messages: number): Promise<void>;
  /** Another message of a person in it; in channels and groups with a mention, unless it says otherwise. */
  say(text: string, more?: Partial<Saying>): Said;
}

/** What a person writes to the app, and the thread that it begins or belongs to. In personal chats the person is its key. */
export function ask(cluster: TeamsCluster, conversation: string, text: string, more: Partial<Saying> = {}): SeenThread {
  const { kind } = conversationOf(cluster.teams.world, conversation);
  const user = kind === "personal" ? conversation : "alice";
  const { rootId } = cluster.teams.say({ conversation, user, text, ...more });
  return seeThread(cluster, conversation, rootId);
}

export function seeThread(cluster: TeamsCluster, name: string, rootId: string | null): SeenThread {
  const { teams, records, database } = cluster;
  const conversation = conversationOf(teams.world, name);
  const key = teamsThreadKey(conversation.tenantId, conversation.id, rootId);
  const posts = () => teams.written(name, rootId ?? undefined).filter(({ targetedTo }) => targetedTo === null);
  const statusCards = () => posts().filter((each) => STATUS.test(summaryOf(each)));
  const words = () => posts().filter((each) => textOf(each) !== "");
  const consentCards = () => posts().filter(asksForConsent);
  const until: SeenThread["until"] = async (what, probe) => {
    try {
      return await teams.until(`${what} in ${key}`, probe, WAIT_MS);
    } catch (error) {
      throw new Error(`It has ${JSON.stringify(posts().map(headOf))}.`, { cause: error });
    }
  };
  const session = () =>
    pollUntil(`a session of ${key}`, async () => (await records.directory.reading(key)).sessionId ?? undefined, WAIT);
  const log = async () => database.log(await session());
  const person = conversation.kind === "personal" ? name : "alice";
  return {
    conversation: name,
    rootId,
    key,
    said: () => words().map(textOf),
    statuses: () => statusCards().map((each) => STATUS.exec(summaryOf(each))?.[1] ?? ""),
    statusCard: () => statusCards().at(-1),
    approvals: () => posts().filter((each) => APPROVAL.test(summaryOf(each))),
    fileMessages: () =>
      posts().filter(
        (each) =>
          textOf(each) === "" &&
          !asksForConsent(each) &&
          !STATUS.test(summaryOf(each)) &&
          !APPROVAL.test(summaryOf(each)),
      ),
    consentCards,
    says: (part) => until(`words "${part}"`, () => words().find((each) => textOf(each).includes(part))),
    reaches: (status, turn = 1) =>
      until(`the status ${status} of turn ${turn}`, () => {
        const card = statusCards()[turn - 1];
        return card && STATUS.exec(summaryOf(card))?.[1] === status && card;
      }),
    isFollowed: () => until("a status that is redrawn", () => (statusCards().at(-1)?.versions.length ?? 0) > 1),
    until,
    async isNoted(state) {
      const noted = async () => (await records.directory.summary(key))?.state === state || undefined;
      await pollUntil(`${key} to be noted as ${state}`, noted, WAIT);
    },
    session,
    log,
    async isTold(messages) {
      const told = async () => (await messagesTo(cluster, await session())) >= messages || undefined;
      await pollUntil(`${key} to be told ${messages} messages`, told, WAIT);
    },
    say: (text, more = {}) =>
      teams.say({ conversation: name, user: person, text, ...(rootId !== null && { rootId }), ...more }),
  };
}

/** Also what waits to be taken up. */
async function messagesTo({ client }: TeamsCluster, sessionId: string): Promise<number> {
  let count = 0;
  for await (const { type } of client.beta.sessions.events.list(sessionId)) if (type === "user.message") count += 1;
  return count;
}

export function summaryOf({ wire }: Activity): string {
  return typeof wire["summary"] === "string" ? wire["summary"] : "";
}

export function textOf({ wire }: Activity): string {
  return typeof wire["text"] === "string" ? wire["text"] : "";
}

function headOf(activity: Activity): string {
  return summaryOf(activity) || textOf(activity);
}

function asksForConsent({ wire }: Activity): boolean {
  return JSON.stringify(wire["attachments"] ?? null).includes(FILE_CONSENT);
}

/** Links to files of ours in a message. */
export function linksIn({ wire }: Activity): string[] {
  return [...JSON.stringify(wire).matchAll(/http:\/\/127\.0\.0\.1:\d+\/[^\s"\\)|>]+/g)]
    .map(([link]) => link)
    .filter((link) => !link.includes("/amer"));
}
