import { APIError, NotFoundError, type Anthropic } from "@anthropic-ai/sdk";
import { messageOf } from "../../src/errors.ts";
import type { Logger } from "../../src/log.ts";
import { isTransient } from "./api-errors.ts";
import type { ChannelPolicy } from "./channel-policy.ts";
import { placeOf, type ChatPlaceKey } from "./chat-place.ts";
import type { ChatRecords, ThreadSummary } from "./chat-records.ts";
import type { ChatSource } from "./chat-source.ts";
import { sessionUsage } from "./session-usage.ts";
import { threadLines, type ThreadLine } from "./thread-line.ts";
import { monthOf, type Spent } from "./usage-report.ts";

type FileMetadata = Anthropic.Beta.BetaFileMetadata;

export interface HomeDeps {
  client: Anthropic;
  source: Pick<ChatSource, "linkTo">;
  records: Pick<ChatRecords, "directory" | "policies" | "spend">;
  /** Runs where no policy names another. */
  defaultAgentId?: string;
  log: Logger;
}

export interface HomeSession extends ThreadLine {
  /** Of the session so far; null where it is not known, or not asked for because there are later ones. */
  costCents: number | null;
}

export interface HomeFile {
  id: string;
  filename: string;
  sizeBytes: number;
  /** In ms since the epoch. */
  createdAt: number;
  /** The thread it was delivered in. */
  thread: ThreadLine;
}

/** What a person sees of their work, in no surface's own format. Lists are cut; latest first. */
export interface HomeData {
  running: HomeSession[];
  /** The person's sessions that wait for an approval, and those of others that wait for theirs. */
  waiting: HomeSession[];
  done: HomeSession[];
  /** What the latest sessions delivered. */
  files: HomeFile[];
  /** What holds in the team's places that have no policy of their own. */
  defaults: ChannelPolicy;
  /** Of `defaults`, or of the default agent; null when it could not be told. */
  agentName: string | null;
  /** The person's, of this calendar month (`2026-11`, UTC). */
  usage: Spent & { month: string };
  /** Something is missing because the API did not answer, or not in time. */
  incomplete: boolean;
}

const SHOWN_MAX = 10;
const WAITING_LOOKED_THROUGH_MAX = 50;
/** Sessions whose cost and files are asked for. */
const ASKED_MAX = 5;
const FILES_MAX = 10;
const FILES_A_SESSION_MAX = 20;
/** For everything that is asked of the API. */
const ASK_TIMEOUT_MS = 4_000;

/**
 * Whatever the API does not tell in time is left out, and the rest is there.
 * @throws the signal's reason; errors of the stores
 */
export async function homeOf(
  deps: HomeDeps,
  { team, person }: { team: ChatPlaceKey; person: { id: string } },
  signal: AbortSignal,
): Promise<HomeData> {
  const { directory, policies, spend } = deps.records;
  const month = monthOf(new Date());
  const [running, latest, forMe, defaults, spent] = await Promise.all([
    directory.list({ team, requester: person.id, running: true, limit: SHOWN_MAX }),
    directory.list({ team, requester: person.id, limit: 2 * SHOWN_MAX }),
    waitingForOthers(deps, team, person.id),
    policies.of(team),
    spend.sum(month, { team, requester: person.id }),
  ]);
  const done = latest.filter(({ state }) => !isOpen(state)).slice(0, SHOWN_MAX);
  const asked = [...running, ...done].toSorted((a, b) => b.activeAt.getTime() - a.activeAt.getTime());

  const api = openQuestions(deps.log, signal);
  const [lines, known, agentName] = await Promise.all([
    threadLines(deps, [...running, ...forMe, ...done], signal),
    knownSessions(deps.client, api, asked.slice(0, ASKED_MAX)),
    api.ask((inTime) => agentNameOf(deps, defaults, inTime)),
  ]);
  const sessions = lines.map((line) => ({ ...line, costCents: known.get(line.sessionId)?.costCents ?? null }));
  return {
    running: sessions.filter(({ state }) => state === "working"),
    waiting: sessions.filter(({ state }) => state === "waiting"),
    done: sessions.filter(({ state }) => !isOpen(state)),
    files: filesIn(lines, known),
    defaults,
    agentName,
    usage: { month, ...spent },
    incomplete: api.missed(),
  };
}

const isOpen = (state: ThreadSummary["state"]) => state === "working" || state === "waiting";

/** Sessions of others that wait for this person's approval: those of places that name them. Groups are not looked into. */
async function waitingForOthers({ records }: HomeDeps, team: ChatPlaceKey, personId: string): Promise<ThreadSummary[]> {
  const running = await records.directory.list({ team, running: true, limit: WAITING_LOOKED_THROUGH_MAX });
  const others = running.filter(({ state, requester }) => state === "waiting" && requester !== personId);
  const places = [...new Set(others.flatMap(({ thread }) => placeOf(thread) ?? []))];
  const policies = await Promise.all(places.map((place) => records.policies.of(place)));
  const mine = new Set(places.filter((_, index) => policies[index]?.approvers.includes(personId)));
  return others
    .filter(({ thread }) => {
      const place = placeOf(thread);
      return place !== null && mine.has(place);
    })
    .slice(0, SHOWN_MAX);
}

interface Questions {
  /** Null when there was no answer, or none in time. */
  ask<Answer>(question: (inTime: AbortSignal) => Promise<Answer>): Promise<Answer | null>;
  missed(): boolean;
}

/** Questions to the API that may go unanswered. */
function openQuestions(log: Logger, signal: AbortSignal): Questions {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]);
  let missed = false;
  return {
    async ask(question) {
      try {
        return await question(inTime);
      } catch (error) {
        signal.throwIfAborted();
        // A session or an agent that was deleted is no more to be told of.
        if (error instanceof NotFoundError) return null;
        if (!(error instanceof APIError) && !isTransient(error)) throw error;
        missed = true;
        log.warn({ error: messageOf(error) }, "a home is shown without a part of it");
        return null;
      }
    },
    missed: () => missed,
  };
}

interface KnownSession {
  costCents: number | null;
  files: FileMetadata[];
}

async function knownSessions(
  client: Anthropic,
  api: Questions,
  sessions: readonly ThreadSummary[],
): Promise<Map<string, KnownSession>> {
  const known = sessions.map(async ({ sessionId }): Promise<[string, KnownSession]> => {
    const [usage, files] = await Promise.all([
      api.ask(async (signal) => (await client.beta.sessions.retrieve(sessionId, {}, { signal, maxRetries: 0 })).usage),
      api.ask(async (signal) => {
        const query = { scope_id: sessionId, limit: FILES_A_SESSION_MAX, betas: ["managed-agents-2026-04-01"] };
        const page = await client.beta.files.list(query, { signal, maxRetries: 0 });
        return page.data.filter((file) => file.downloadable);
      }),
    ]);
    return [sessionId, { costCents: usage && sessionUsage(usage).costCents, files: files ?? [] }];
  });
  return new Map(await Promise.all(known));
}

function filesIn(lines: readonly ThreadLine[], known: Map<string, KnownSession>): HomeFile[] {
  return lines
    .flatMap((thread) =>
      (known.get(thread.sessionId)?.files ?? []).map((file) => ({
        id: file.id,
        filename: file.filename,
        sizeBytes: file.size_bytes,
        createdAt: Date.parse(file.created_at),
        thread,
      })),
    )
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .slice(0, FILES_MAX);
}

async function agentNameOf(
  { client, defaultAgentId }: HomeDeps,
  { agentId }: ChannelPolicy,
  signal: AbortSignal,
): Promise<string | null> {
  const id = agentId ?? defaultAgentId;
  if (id === undefined) return null;
  const { name } = await client.beta.agents.retrieve(id, {}, { signal, maxRetries: 0 });
  return name;
}
