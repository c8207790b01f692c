import { randomBytes } from "node:crypto";
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { extraCertificates } from "../src/embedded/extra-certificates.ts";
import { containerNames, SLOT_LABEL } from "../src/sandbox/labels.ts";
import type { Client } from "./client.ts";
import { against, atMost, type Bench, type Figure } from "./figure.ts";
import { findInstallation, gatewayDirOf } from "./installation.ts";
import { scriptOf } from "./model-script.ts";
import { MODEL, UPSTREAM_ADDRESS } from "./names.ts";
import { p50 } from "./percentiles.ts";
import { probe, probeCommand, type Route, type Times, timesIn } from "./probe.ts";
import { type Rig, startRig } from "./rig.ts";
import { startUpstreamProcess } from "./upstream-process.ts";

const NAME = "upstream.bench.test";
const VARIABLE = "BENCH_TOKEN";
const WITH = "with the secret";
const WITHOUT = "without the secret";
const WARM_UP = 20;
const FRESH = 150;
const KEPT = 500;
/** The sandbox has a part of the machine only, and fewer say enough. */
const INSIDE = { fresh: 60, kept: 200 };
const TURN_TIMEOUT_MS = 120_000;
/** More than are sent, so that nothing is turned away. */
const REQUESTS_PER_MINUTE = 1_000_000;
const FRESH_MORE_MAX_MS = 5;
const KEPT_MORE_MAX_MS = 1;
/** Where a sandbox finds its way out. */
const INSIDE_AT = { host: "127.0.0.1", port: 3128 };
const INSIDE_CA = "/run/egress/ca.pem";

/** A session's sandbox, from the outside. */
interface Slot {
  sessionId: string;
  socket: string;
  ca: string;
}

/**
 * An https request through the gateway of `deckhand up`, with the policy looked up and the request recorded each time,
 * against the same request straight to the same server. For a fresh one everything is made anew, on both sides of the
 * gateway. Clients connect to the sockets of two sandboxes: one has no credential, so that its requests are tunnelled, the
 * other has one that is put into them.
 */
export async function measureGateway(bench: Bench): Promise<Figure[]> {
  const authorityFile = path.join(bench.dir, "authority.pem");
  const secret = randomBytes(24).toString("hex");
  const upstream = await startUpstreamProcess({ name: NAME, secret, authorityFile });
  bench.teardown.add(() => upstream.stop());
  const direct: Route = {
    name: "direct",
    at: { host: UPSTREAM_ADDRESS, port: upstream.port },
    tunnel: false,
    ca: authorityFile,
    authorization: `Bearer ${secret}`,
    expects: WITH,
  };
  await appendFile(authorityFile, await extraCertificates());
  const env = {
    NODE_EXTRA_CA_CERTS: authorityFile,
    DECKHAND_GATEWAY_ADDRESSES: `${UPSTREAM_ADDRESS}/32`,
    DECKHAND_GATEWAY_DNS: `127.0.0.1:${upstream.dnsPort}`,
    DECKHAND_GATEWAY_REQUESTS_PER_MINUTE: String(REQUESTS_PER_MINUTE),
  };
  const rig = await startRig(bench, { env });

  const environment_id = await rig.client.createEnvironment(`${NAME}:${upstream.port}`);
  const vault = await rig.client.createVault({ name: VARIABLE, value: secret });
  const plain = await slotOf(rig, await rig.client.createSession(MODEL, { environment_id }), bench.signal);
  const vaultSession = await rig.client.createSession(MODEL, { environment_id, vault_ids: [vault] });
  const equipped = await slotOf(rig, vaultSession, bench.signal);
  const placeholder = await bash(rig.client, equipped.sessionId, `printf %s "$${VARIABLE}"`, bench.signal);
  const tunnel = routeThrough(plain, { name: "tunnel", authorization: "Bearer nothing", expects: WITHOUT });
  const swap = routeThrough(equipped, { name: "swap", authorization: `Bearer ${placeholder}`, expects: WITH });

  const target = { host: NAME, port: upstream.port, warmUp: WARM_UP };
  bench.say(`${FRESH} fresh and ${KEPT} kept requests each: direct, tunnelled, with a secret put in`);
  const outside = await probe({ ...target, fresh: FRESH, kept: KEPT, routes: [direct, tunnel, swap] }, bench.signal);
  bench.say(`${INSIDE.fresh} and ${INSIDE.kept} from inside of the sandbox`);
  const inner: Route = { ...swap, name: "inside", at: INSIDE_AT, ca: INSIDE_CA };
  const command = await probeCommand({ ...target, ...INSIDE, routes: [inner] });
  const inside = timesIn(await bash(rig.client, equipped.sessionId, command, bench.signal));
  return figures({ ...outside, ...inside });
}

function routeThrough({ socket, ca }: Slot, given: Pick<Route, "name" | "authorization" | "expects">): Route {
  return { ...given, at: { path: socket }, tunnel: true, ca };
}

/** Gives the session its sandbox. */
async function slotOf({ home, client }: Rig, sessionId: string, signal: AbortSignal): Promise<Slot> {
  await bash(client, sessionId, "true", signal);
  const installation = await findInstallation(home);
  const { sessionOf } = containerNames(installation.id);
  const containers = await installation.containers();
  const found = containers.find(({ Names }) => Names.some((name) => sessionOf(name.slice(1)) === sessionId));
  const slot = found?.Labels[SLOT_LABEL];
  if (slot === undefined) throw new Error("The session has no sandbox with a way out.");
  const folder = path.join(await gatewayDirOf(home), slot);
  return { sessionId, socket: path.join(folder, "gateway.sock"), ca: path.join(folder, "ca.pem") };
}

/** What the command printed, as a session's tool runs it. */
async function bash(client: Client, sessionId: string, command: string, signal: AbortSignal): Promise<string> {
  const stream = await client.follow(sessionId, false);
  try {
    await client.send(sessionId, scriptOf({ bash: command }));
    await stream.until("session.status_idle", AbortSignal.any([signal, AbortSignal.timeout(TURN_TIMEOUT_MS)]));
  } finally {
    await stream.close();
  }
  return client.lastToolResult(sessionId);
}

function figures(times: Times): Figure[] {
  const of = (route: string, kind: "fresh" | "kept"): number => p50(times[route]?.[kind] ?? []);
  const figure = (name: string, route: string, kind: "fresh" | "kept", note: string): Figure =>
    against(
      `gateway.${name}`,
      "ms",
      of(route, kind),
      of("direct", kind),
      `p50, ${note}; floor: straight to the server`,
    );
  const fresh = `a connection each, n = ${FRESH}`;
  const kept = `over one connection, n = ${KEPT}`;
  return [
    figure("tunnel_fresh", "tunnel", "fresh", `through a tunnel, ${fresh}`),
    figure("tunnel_kept", "tunnel", "kept", `through a tunnel, ${kept}`),
    {
      ...figure("swap_fresh", "swap", "fresh", `a secret put in, ${fresh}`),
      target: atMost(FRESH_MORE_MAX_MS, "difference"),
    },
    {
      ...figure("swap_kept", "swap", "kept", `a secret put in, ${kept}`),
      target: atMost(KEPT_MORE_MAX_MS, "difference"),
    },
    figure("inside_fresh", "inside", "fresh", `a secret put in, asked for inside of the sandbox, n = ${INSIDE.fresh}`),
    figure("inside_kept", "inside", "kept", `a secret put in, asked for inside of the sandbox, n = ${INSIDE.kept}`),
  ];
}
