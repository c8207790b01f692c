import { randomUUID } from "node:crypto";
import Docker from "dockerode";
import { createLog } from "../src/log.ts";
import { DEFAULT_LIMITS } from "../src/sandbox/container-config.ts";
import { createDockerSandboxProvider } from "../src/sandbox/docker.ts";
import type { Client } from "./client.ts";
import { epochMs } from "./epoch-ms.ts";
import { atLeast, type Bench, type Figure } from "./figure.ts";
import { findInstallation } from "./installation.ts";
import { scriptOf } from "./model-script.ts";
import { MODEL } from "./names.ts";
import { p50, p95 } from "./percentiles.ts";
import { startRig } from "./rig.ts";

const WARM_UP = 3;
const SAMPLES = 30;
const TOKEN_TIMEOUT_MS = 30_000;
const LESS_AT_P50_PERCENT = 60;
const LESS_AT_P95_PERCENT = 90;

const ANSWER = scriptOf({ say: "The first words of an answer." });

/**
 * From POST to the first piece of the answer on the client's stream, in new sessions: with hands that are fetched when a
 * tool needs them (Deckhand as it is), and with a container that is made and started before the model may be asked.
 * The model server answers at once, so what is compared is the platform's own share of the wait: whatever time a real
 * model takes comes on top of both.
 */
export async function measureTimeToFirstToken(bench: Bench): Promise<Figure[]> {
  const { home, client } = await startRig(bench);
  const [pooled] = await (await findInstallation(home)).containers();
  if (!pooled) throw new Error("The Deckhand under test has made no container yet.");
  const image = pooled.Image;
  const shape = { image, limits: DEFAULT_LIMITS, runtime: null };
  const provider = createDockerSandboxProvider({
    docker: new Docker(),
    installationId: `bench-${randomUUID()}`.slice(0, 40),
    pool: { shape, size: 0 },
    log: createLog("warn"),
  });
  bench.teardown.add(() => provider.close());

  const lazy: number[] = [];
  const provisioned: number[] = [];
  bench.say(`${WARM_UP} + ${SAMPLES} first tokens, each lazy and with a container made first`);
  for (let at = 0; at < WARM_UP + SAMPLES; at++) {
    const lazyMs = await firstToken(client, bench.signal, async () => undefined);
    const provisionedMs = await firstToken(client, bench.signal, async (sessionId) => {
      const sandbox = await provider.provision({ sessionId, shape }, bench.signal);
      return () => provider.destroy(sandbox.ref);
    });
    if (at < WARM_UP) continue;
    lazy.push(lazyMs);
    provisioned.push(provisionedMs);
  }
  return [
    ...compared("p50", p50(lazy), p50(provisioned), LESS_AT_P50_PERCENT),
    ...compared("p95", p95(lazy), p95(provisioned), LESS_AT_P95_PERCENT),
  ];
}

/** `first` stands between the message and the request, and returns what is to be done afterwards. */
async function firstToken(
  client: Client,
  signal: AbortSignal,
  first: (sessionId: string) => Promise<(() => Promise<void>) | undefined>,
): Promise<number> {
  const sessionId = await client.createSession(MODEL);
  const stream = await client.follow(sessionId, true);
  const either = AbortSignal.any([signal, AbortSignal.timeout(TOKEN_TIMEOUT_MS)]);
  const startedAt = epochMs();
  const undo = await first(sessionId);
  await client.send(sessionId, ANSWER);
  const seen = await stream.until("event_delta", either);
  const tokenAt = seen.at(-1)?.at ?? Number.NaN;
  await stream.until("session.status_idle", either);
  await stream.close();
  await undo?.();
  return tokenAt - startedAt;
}

function compared(label: string, lazyMs: number, provisionedMs: number, lessPercent: number): Figure[] {
  const less = (1 - lazyMs / provisionedMs) * 100;
  const n = `n = ${SAMPLES}, new session each, model without delay`;
  return [
    {
      name: `first_token.${label}`,
      value: lazyMs,
      unit: "ms",
      floor: provisionedMs,
      ratio: lazyMs / provisionedMs,
      target: null,
      note: `POST to first delta; floor: the same with a container made first; ${n}`,
    },
    {
      name: `first_token.less_${label}`,
      value: less,
      unit: "%",
      floor: null,
      ratio: null,
      target: atLeast(lessPercent),
      note: "by how much waiting for no container shortens it",
    },
  ];
}
