/**
 * Slack at the edge of the world, as we understand it: ours, made from documentation and from what others report. It is
 * stricter than Slack where that finds bugs. Passing it is no evidence about Slack.
 */
import { BOT_SCOPES } from "../../bots/slack/requirements.ts";
import { createCallLog } from "./slack/call-log.ts";
import { createClock } from "./slack/clock.ts";
import { fillWorld } from "./slack/default-world.ts";
import { httpTransport, type Transport } from "./slack/delivery.ts";
import { createFaultPlan } from "./slack/faults.ts";
import { createInteractions } from "./slack/interactions.ts";
import { createLifecycle } from "./slack/lifecycle.ts";
import { createOAuthApp } from "./slack/oauth-app.ts";
import { type Destination, type FakeSlackOptions, settingsOf } from "./slack/options.ts";
import { createOutbox } from "./slack/outbox.ts";
import { createPeople } from "./slack/people.ts";
import { createLimiter, type RateLimits } from "./slack/rate-limits.ts";
import { createResponseUrls } from "./slack/response-urls.ts";
import { serve } from "./slack/server.ts";
import { createSocketMode } from "./slack/socket-mode.ts";
import { createTimers } from "./slack/timers.ts";
import type { WebApiDeps } from "./slack/web-api.ts";
import { APP_ID, createWorld, type Message } from "./slack/world.ts";

export type { FakeSlackOptions };
export type FakeSlack = Awaited<ReturnType<typeof startFakeSlack>>;

const ACK_TIMEOUT_MS = 3_000;
const RETRY_DELAYS_MS = [0, 1_000, 5_000];
const SIGNING_SECRET = "fake-signing-secret";
const APP_TOKEN = "xapp-fake";
const CLIENT = { clientId: "111.222", clientSecret: "fake-client-secret" };

/** With the people and channels of `default-world.ts`. */
export async function startFakeSlack(options: FakeSlackOptions = {}) {
  const parts = assemble(options);
  const { world, settings, log, violations, faults, oauth } = parts.deps;
  const { outbox, responses, socket, deliverTo, limit } = parts;
  const server = await serve(parts, options.port ?? 0);
  settings.origin = server.origin;
  const origin = () => settings.origin;

  return {
    url: server.origin,
    /** What a WebClient takes as `slackApiUrl`. */
    apiUrl: `${server.origin}/api/`,
    appId: APP_ID,
    appToken: APP_TOKEN,
    signingSecret: SIGNING_SECRET,
    ...CLIENT,
    world,
    clock: world.clock,
    /** What the app did that nobody who knows Slack does. A test that ends with any has found a bug. */
    violations,
    calls: log.calls,
    callsTo: (method: string) => log.calls.filter((call) => call.method === method),
    until: log.until,
    fail: faults.plan,
    limit,
    deliverTo,
    socket,
    deliveries: outbox.sent,
    redeliver: outbox.redeliver,
    /** A code that the redirect URL would get. */
    authorize: oauth.code,
    messages: (channel: string): Message[] => world.messages.filter((each) => each.channel === channel),
    thread: (channel: string, ts: string): Message[] =>
      world.messages.filter((each) => each.channel === channel && (each.ts === ts || each.threadTs === ts)),
    ...createPeople(world, outbox, origin),
    ...createInteractions({ world, outbox, responses, settings }),
    ...createLifecycle(world, outbox, settings),
    async close() {
      parts.abandon();
      await server.close();
    },
  };
}

function assemble(options: FakeSlackOptions) {
  const { ackTimeoutMs = ACK_TIMEOUT_MS, retryDelaysMs = RETRY_DELAYS_MS, tokenLifetimeSeconds = null } = options;
  const world = createWorld(createClock());
  fillWorld(world, options.scopes ?? BOT_SCOPES.map(({ scope }) => scope));
  const log = createCallLog();
  const timers = createTimers(log.changed);
  const settings = settingsOf(options, timers.later);
  const violations: string[] = [];
  const closing = new AbortController();
  const socket = createSocketMode({ appId: APP_ID, ackTimeoutMs, violations, changed: log.changed });
  const to = (destination: Destination): Transport | null => {
    if (destination === null) return null;
    if (destination === "socket") return socket.transport;
    return httpTransport({ url: destination.href, signingSecret: SIGNING_SECRET, ackTimeoutMs });
  };
  let transport = to(options.deliverTo ?? null);
  let limits: RateLimits | null = null;

  const outbox = createOutbox({
    world,
    appId: APP_ID,
    events: settings.events,
    retries: { delaysMs: retryDelaysMs },
    transport: () => transport,
    changed: log.changed,
    signal: closing.signal,
  });
  const deps: WebApiDeps = {
    world,
    settings,
    log,
    violations,
    faults: createFaultPlan(),
    oauth: createOAuthApp(world, { appId: APP_ID, ...CLIENT, tokenLifetimeSeconds }),
    publish: (channel, event) => void outbox.event(channel, event),
    limiter: createLimiter(world.clock, () => limits),
    connect(token) {
      if (token !== APP_TOKEN) return null;
      return { url: `${settings.origin.replace("http", "ws")}/link?ticket=${socket.ticket()}` };
    },
  };
  return {
    deps,
    outbox,
    socket,
    responses: createResponseUrls(world, violations, () => settings.origin),
    deliverTo(destination: Destination) {
      transport = to(destination);
    },
    /** From now on; null for none, which is how it starts. */
    limit(next: RateLimits | null) {
      limits = next;
    },
    /** What is under way comes to nothing. */
    abandon() {
      closing.abort();
      timers.clear();
    },
  };
}
