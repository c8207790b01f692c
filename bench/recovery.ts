import { epochMs } from "./epoch-ms.ts";
import { atMost, type Bench, type Figure } from "./figure.ts";
import { scriptOf } from "./model-script.ts";
import { MODEL } from "./names.ts";
import { p50 } from "./percentiles.ts";
import { startRig } from "./rig.ts";

const ROUNDS = 7;
const RECOVERY_MAX_MS = 3_000;
const STEP_TIMEOUT_MS = 30_000;
/** Longer than a recovery takes, so that the killed worker is always in the midst of its answer. */
const ANSWER_MS = 8_000;
const CHUNKS = 80;

const ANSWER = scriptOf({ say: "word ".repeat(CHUNKS), chunks: CHUNKS, chunk_ms: ANSWER_MS / CHUNKS });

/**
 * From SIGKILL of the worker that holds a session, in the midst of a model's answer, to the first event of the worker
 * that takes the session over, as a client sees it. Both run already, at the default lease.
 */
export async function measureRecovery(bench: Bench): Promise<Figure[]> {
  const { client, startWorker } = await startRig(bench, { role: "api" });

  bench.say(`${ROUNDS} workers killed in the midst of an answer`);
  const samples: number[] = [];
  let worker = await startWorker();
  for (let round = 0; round < ROUNDS; round++) {
    const sessionId = await client.createSession(MODEL);
    const stream = await client.follow(sessionId, true);
    const signal = () => AbortSignal.any([bench.signal, AbortSignal.timeout(STEP_TIMEOUT_MS)]);
    await client.send(sessionId, ANSWER);
    await stream.until("event_delta", signal());
    // It joins only now, so the session is certainly the other one's.
    const next = await startWorker();
    const killedAt = epochMs();
    await worker.kill("SIGKILL");
    const seen = await stream.until("span.model_request_end", signal());
    samples.push((seen.at(-1)?.at ?? Number.NaN) - killedAt);
    await stream.close();
    worker = next;
  }
  const note = `worker killed to first event of the next one on the stream, default lease, n = ${ROUNDS}`;
  const figure = { unit: "ms", floor: null, ratio: null } as const;
  return [
    { ...figure, name: "recovery.p50", value: p50(samples), target: null, note },
    {
      ...figure,
      name: "recovery.max",
      value: Math.max(...samples),
      target: atMost(RECOVERY_MAX_MS),
      note: "the slowest of them",
    },
  ];
}
