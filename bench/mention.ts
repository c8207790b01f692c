import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { epochMs } from "./epoch-ms.ts";
import { atMost, type Bench, type Figure } from "./figure.ts";
import { MODEL } from "./names.ts";
import { p50, p95 } from "./percentiles.ts";
import type { SlackProcess } from "./slack-process.ts";
import { type SlackRig, startSlackRig } from "./slack-rig.ts";
import type { SentMention, SlackCall } from "./slack-wire.ts";
import { startProcess } from "./spawned.ts";

const WARM_UP = 5;
const SAMPLES = 40;
/** So that what follows one sample does not fall into the next. */
const GAP_MS = 400;
const POLL_MS = 1;
const STEP_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 20_000;
const VISIBLE_P50_MAX_MS = 300;
const COMMITTED_P50_MAX_MS = 50;
/** A message is in one of the tables, and goes from the first to the second in one statement. */
const COUNT_COMMITTED = `SELECT (SELECT count(*) FROM queued_events WHERE type = 'user.message')
  + (SELECT count(*) FROM events WHERE type = 'user.message') AS count`;

/** Each in ms since the mention was sent. */
interface Sample {
  acknowledged: number;
  /** Slack was asked to show something in the thread: a reaction, or a status. */
  visible: number;
  committed: number;
}

/**
 * What becomes of a mention in a channel of its own, from the moment Slack sends it. Floors: a bare Bolt app that adds a
 * reaction; a session that a bare client makes and sends the message to. What is committed is seen by one who polls the
 * database, the same way for both.
 */
export async function measureMention(bench: Bench): Promise<Figure[]> {
  const rig = await startSlackRig(bench);
  const boltUrl = await startBareBolt(bench, rig.slack);
  const createAndSend = await bareClient(rig);
  bench.say(`${WARM_UP} + ${SAMPLES} mentions, each beside a bare Bolt app and a bare client`);
  const ours: Sample[] = [];
  const floors: Pick<Sample, "visible" | "committed">[] = [];
  for (let at = 0; at < WARM_UP + SAMPLES; at++) {
    const floor = {
      visible: await bareReaction(rig.slack, boltUrl, `C0FLOOR${at}`, bench.signal),
      committed: await timeToCommit(rig, createAndSend, bench.signal),
    };
    await delay(GAP_MS, undefined, { signal: bench.signal });
    const sample = await mention(rig, `C0MENTION${at}`, bench.signal);
    await delay(GAP_MS, undefined, { signal: bench.signal });
    if (at < WARM_UP) continue;
    floors.push(floor);
    ours.push(sample);
  }
  return figures(ours, floors);
}

async function mention({ slack, eventsUrl, pool }: SlackRig, channel: string, signal: AbortSignal): Promise<Sample> {
  const committing = untilCommitted(pool, signal);
  await committing.ready;
  const messages = [{ channel, user: "U0SAM", text: "Say that you are done." }];
  const [sent] = await slack.mention({ url: eventsUrl, messages, redelivered: 0 });
  if (!sent) throw new Error("No mention was sent.");
  const committedAt = await committing.at;
  const shown = await firstVisible(slack, sent, signal);
  return {
    acknowledged: sent.acknowledgedAt - sent.sentAt,
    visible: shown.receivedAt - sent.sentAt,
    committed: committedAt - sent.sentAt,
  };
}

async function bareReaction(slack: SlackProcess, url: string, channel: string, signal: AbortSignal): Promise<number> {
  const messages = [{ channel, user: "U0SAM", text: "React." }];
  const [sent] = await slack.mention({ url, messages, redelivered: 0 });
  if (!sent) throw new Error("No mention was sent.");
  return (await firstVisible(slack, sent, signal)).receivedAt - sent.sentAt;
}

async function timeToCommit({ pool }: SlackRig, act: () => Promise<void>, signal: AbortSignal): Promise<number> {
  const committing = untilCommitted(pool, signal);
  await committing.ready;
  const begunAt = epochMs();
  await Promise.all([act(), committing.at]);
  return (await committing.at) - begunAt;
}

/** Sees one more message committed than there were when it was ready; late by its poll, never early. */
function untilCommitted(pool: SlackRig["pool"], signal: AbortSignal): { ready: Promise<number>; at: Promise<number> } {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(STEP_TIMEOUT_MS)]);
  const count = async () => {
    const { rows } = await pool.query<{ count: string }>({ name: "count_committed", text: COUNT_COMMITTED });
    return Number(rows[0]?.count);
  };
  const ready = count();
  const poll = async () => {
    const before = await ready;
    while ((await count()) <= before) await delay(POLL_MS, undefined, { signal: limit });
    return epochMs();
  };
  return { ready, at: poll() };
}

async function firstVisible(slack: SlackProcess, { ts }: SentMention, signal: AbortSignal): Promise<SlackCall> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(STEP_TIMEOUT_MS)]);
  for (;;) {
    const shown = (await slack.calls()).find(
      ({ method, message }) => message === ts && (method === "reactions.add" || method === "chat.postMessage"),
    );
    if (shown) return shown;
    await delay(POLL_MS, undefined, { signal: limit });
  }
}

async function startBareBolt(bench: Bench, { apiUrl }: SlackProcess): Promise<string> {
  const started = startProcess(process.execPath, [path.join(import.meta.dirname, "bare-bolt.ts"), apiUrl]);
  bench.teardown.add(() => started.kill("SIGKILL"));
  return started.firstLine(/^(http:\/\/\S+)$/m, START_TIMEOUT_MS);
}

async function bareClient({ client }: SlackRig): Promise<() => Promise<void>> {
  const agent = await client.beta.agents.create({ name: "bench", model: MODEL });
  const environment = await client.beta.environments.create({ name: "bench" });
  return async () => {
    const session = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id });
    const content = [{ type: "text" as const, text: "Say that you are done." }];
    await client.beta.sessions.events.send(session.id, { events: [{ type: "user.message", content }] });
  };
}

function figures(ours: readonly Sample[], floors: readonly Pick<Sample, "visible" | "committed">[]): Figure[] {
  const n = `n = ${ours.length}`;
  const beside = (part: "visible" | "committed", p50MaxMs: number, what: string): Figure[] => {
    const samples = ours.map((sample) => sample[part]);
    const floorSamples = floors.map((sample) => sample[part]);
    const figure = (name: string, of: (samples: readonly number[]) => number) => {
      const [value, floor] = [of(samples), of(floorSamples)];
      return { name: `mention.${part}_${name}`, value, unit: "ms" as const, floor, ratio: value / floor };
    };
    return [
      { ...figure("p50", p50), target: atMost(p50MaxMs), note: `${what}, ${n}` },
      { ...figure("p95", p95), target: null, note: "the same" },
    ];
  };
  return [
    ...beside("visible", VISIBLE_P50_MAX_MS, "mention sent to reaction or status; floor: bare Bolt app that reacts"),
    ...beside(
      "committed",
      COMMITTED_P50_MAX_MS,
      "mention sent to user.message committed; floor: session made and message sent by the SDK",
    ),
    {
      name: "mention.acknowledged_p50",
      value: p50(ours.map(({ acknowledged }) => acknowledged)),
      unit: "ms",
      floor: null,
      ratio: null,
      target: null,
      note: `mention sent to its answer by HTTP, ${n}`,
    },
  ];
}
