import { setTimeout as delay } from "node:timers/promises";
import type { Client, EventStream, Seen } from "./client.ts";
import { epochMs } from "./epoch-ms.ts";
import { atMost, type Bench, type Figure } from "./figure.ts";
import { findInstallation } from "./installation.ts";
import type { ModelProcess } from "./model-process.ts";
import { MODEL } from "./names.ts";
import { scriptOf } from "./model-script.ts";
import { p50, p95 } from "./percentiles.ts";
import { pooledReady } from "./pooled-ready.ts";
import { startRig } from "./rig.ts";

const SESSIONS = 10;
const WARM_UP_TURNS = 5;
const TURNS = 20;
const FRESH_WARM_UP = 3;
const FRESH_SESSIONS = 30;
const TURN_TIMEOUT_MS = 30_000;
const TURN_GAP_MS = 20;
const P50_MAX_MS = 30;
const P95_MAX_MS = 80;

const TURN = scriptOf({ bash: "true" });

/** When the stations of one turn were reached, as `epochMs`. */
interface Turn {
  sentAt: number;
  /** The API's answer to the POST. */
  answeredAt: number;
  modelAsked: number;
  modelAskedAgain: number;
  toolResultAt: number;
  idleStampedAt: number;
  idleSeenAt: number;
}

/**
 * What Deckhand itself takes of a turn: a message is posted, the model (a process that answers at once) asks for one
 * bash call, the model says it is done, the client sees the session idle. Deckhand runs as `deckhand up`.
 */
export async function measureTurnOverhead(bench: Bench): Promise<Figure[]> {
  const { home, model, client } = await startRig(bench);

  bench.say(`${SESSIONS} sessions of ${WARM_UP_TURNS} + ${TURNS} turns`);
  const again: Turn[] = [];
  for (let at = 0; at < SESSIONS; at++) {
    const sessionId = await client.createSession(MODEL);
    const stream = await client.follow(sessionId, false);
    for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++) {
      const measured = await oneTurn(client, model, stream, sessionId, bench.signal);
      if (turn >= WARM_UP_TURNS) again.push(measured);
    }
    await stream.close();
  }

  bench.say(`${FRESH_WARM_UP} + ${FRESH_SESSIONS} fresh sessions, each with a sandbox from the warm pool`);
  const fresh: Turn[] = [];
  const installation = await findInstallation(home);
  for (let at = 0; at < FRESH_WARM_UP + FRESH_SESSIONS; at++) {
    await pooledReady(installation, bench.signal);
    const sessionId = await client.createSession(MODEL);
    const stream = await client.follow(sessionId, false);
    const measured = await oneTurn(client, model, stream, sessionId, bench.signal);
    if (at >= FRESH_WARM_UP) fresh.push(measured);
    await stream.close();
  }
  return [
    ...figures("turn", "the session's sandbox attached before", again),
    ...figures("turn_fresh", "first turn of a session, sandbox from the warm pool", fresh),
  ];
}

async function oneTurn(
  client: Client,
  model: ModelProcess,
  stream: EventStream,
  sessionId: string,
  signal: AbortSignal,
): Promise<Turn> {
  const sentAt = epochMs();
  const answered = client.send(sessionId, TURN).then(epochMs);
  const seen = await stream.until(
    "session.status_idle",
    AbortSignal.any([signal, AbortSignal.timeout(TURN_TIMEOUT_MS)]),
  );
  const idle = stationOf(seen, "session.status_idle");
  const result = stationOf(seen, "agent.tool_result");
  const [first, second] = (await model.requests()).slice(-2);
  if (!first || !second || first.receivedAt < sentAt) throw new Error("The turn did not ask the model twice.");
  // The stream is quiet now; whatever the harness still does for this turn must not fall into the next one.
  await delay(TURN_GAP_MS);
  return {
    sentAt,
    answeredAt: await answered,
    modelAsked: first.receivedAt,
    modelAskedAgain: second.receivedAt,
    toolResultAt: result.processedAt ?? Number.NaN,
    idleStampedAt: idle.processedAt ?? Number.NaN,
    idleSeenAt: idle.at,
  };
}

function stationOf(seen: readonly Seen[], type: string): Seen {
  const found = seen.find((event) => event.type === type);
  if (!found) throw new Error(`The turn ended without ${type}.`);
  return found;
}

function figures(name: string, what: string, turns: readonly Turn[]): Figure[] {
  const totals = turns.map((turn) => turn.idleSeenAt - turn.sentAt);
  const part = (label: string, of: (turn: Turn) => number, note: string): Figure => ({
    name: `${name}.${label}`,
    value: p50(turns.map(of)),
    unit: "ms",
    floor: null,
    ratio: null,
    target: null,
    note: `p50 of ${note}`,
  });
  const n = `n = ${turns.length}`;
  return [
    {
      name: `${name}.p50`,
      value: p50(totals),
      unit: "ms",
      floor: null,
      ratio: null,
      target: atMost(P50_MAX_MS),
      note: `POST to idle on the stream, ${what}, ${n}`,
    },
    {
      name: `${name}.p95`,
      value: p95(totals),
      unit: "ms",
      floor: null,
      ratio: null,
      target: atMost(P95_MAX_MS),
      note: `the same`,
    },
    part("post", (turn) => turn.answeredAt - turn.sentAt, "the POST being answered"),
    part("to_model", (turn) => turn.modelAsked - turn.sentAt, "POST to the model server's first request"),
    part(
      "to_result",
      (turn) => turn.toolResultAt - turn.modelAsked,
      "first model request to the tool's result (stamp, whole ms)",
    ),
    part(
      "to_model_again",
      (turn) => turn.modelAskedAgain - turn.toolResultAt,
      "tool result to the second model request",
    ),
    part(
      "to_idle",
      (turn) => turn.idleStampedAt - turn.modelAskedAgain,
      "second model request to idle (stamp, whole ms)",
    ),
    part("to_client", (turn) => turn.idleSeenAt - turn.idleStampedAt, "idle stamped to idle seen by the client"),
  ];
}
