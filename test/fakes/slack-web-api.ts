/**
 * Slack at the edge of the world, as we understand it: ours, made from documentation and from what others report. It is
 * stricter than Slack where that finds bugs. Passing it is no evidence about Slack.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BOT_EVENTS, BOT_SCOPES } from "../../bots/slack/requirements.ts";
import { createCallLog } from "./slack/call-log.ts";
import { createClock } from "./slack/clock.ts";
import { fillWorld } from "./slack/default-world.ts";
import { httpTransport, type Transport } from "./slack/delivery.ts";
import { createFaultPlan } from "./slack/faults.ts";
import { createInteractions } from "./slack/interactions.ts";
import { createLifecycle } from "./slack/lifecycle.ts";
import { createOAuthApp } from "./slack/oauth-app.ts";
import { createOutbox } from "./slack/outbox.ts";
import { createPeople } from "./slack/people.ts";
import { createLimiter, type RateLimits } from "./slack/rate-limits.ts";
import { createResponseUrls } from "./slack/response-urls.ts";
import { createSocketMode } from "./slack/socket-mode.ts";
import { answerDownload, answerUpload } from "./slack/transfers.ts";
import { answerMethod, type WebApiDeps } from "./slack/web-api.ts";
import { APP_ID, createWorld, type Message } from "./slack/world.ts";
import type { MethodSettings } from "./slack/method.ts";

export type FakeSlack = Awaited<ReturnType<typeof startFakeSlack>>;

/** The app's request URL, or its Socket Mode connections. */
export type Destination = URL | "socket" | null;

export interface FakeSlackOptions {
  port?: number;
  /** Where events, presses and commands go; null for nowhere, until `deliverTo` says. */
  deliverTo?: Destination;
  /** Bot events that the app subscribed to; those of its manifest when left out. */
  events?: readonly string[];
  /** What each installation was granted; what the manifest asks for when left out. */
  scopes?: readonly string[];
  isAgent?: boolean;
  streamLifetimeMs?: number;
  triggerLifetimeMs?: number;
  fileShareDelayMs?: number;
  ackTimeoutMs?: number;
  /** Between the attempts to deliver an event. Slack takes 0, a minute and five. */
  retryDelaysMs?: readonly number[];
  /** Null: tokens from OAuth last. */
  tokenLifetimeSeconds?: number | null;
}

const SIGNING_SECRET = "fake-signing-secret";
const APP_TOKEN = "xapp-fake";
const CLIENT = { clientId: "111.222", clientSecret: "fake-client-secret" };

/** With the people and channels of `default-world.ts`. */
export async function startFakeSlack(options: FakeSlackOptions = {}) {
  const { port = 0, isAgent = true, ackTimeoutMs = 3_000 } = options;
  const clock = createClock();
  const world = createWorld(clock);
  fillWorld(world, options.scopes ?? BOT_SCOPES.map(({ scope }) => scope));
  const log = createCallLog();
  const violations: string[] = [];
  const faults = createFaultPlan();
  const closing = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  let limits: RateLimits | null = null;

  const settings: MethodSettings = {
    origin: "",
    appId: APP_ID,
    streamLifetimeMs: options.streamLifetimeMs ?? 5 * 60_000,
    triggerLifetimeMs: options.triggerLifetimeMs ?? 3_000,
    fileShareDelayMs: options.fileShareDelayMs ?? 5,
    isAgent,
    events: new Set(options.events ?? BOT_EVENTS.map(({ event }) => event)),
    triggers: new Map(),
    uploads: new Map(),
    later(delayMs, effect) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        effect();
        log.changed();
      }, delayMs);
      timers.add(timer);
    },
  };
  const origin = () => settings.origin;
  const socket = createSocketMode({ appId: APP_ID, ackTimeoutMs, violations, changed: log.changed });
  let transport: Transport | null = null;
  const deliverTo = (to: Destination) => {
    const url = to === null || to === "socket" ? null : to.href;
    transport = to === "socket" ? socket.transport : null;
    if (url !== null) transport = httpTransport({ url, signingSecret: SIGNING_SECRET, ackTimeoutMs });
  };
  deliverTo(options.deliverTo ?? null);
  const outbox = createOutbox({
    world,
    appId: APP_ID,
    events: settings.events,
    retries: { delaysMs: options.retryDelaysMs ?? [0, 1_000, 5_000] },
    transport: () => transport,
    changed: log.changed,
    signal: closing.signal,
  });
  const oauth = createOAuthApp(world, {
    appId: APP_ID,
    ...CLIENT,
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? null,
  });
  const responses = createResponseUrls(world, violations, origin);
  const deps: WebApiDeps = {
    world,
    settings,
    log,
    violations,
    faults,
    oauth,
    publish: (channel, event) => void outbox.event(channel, event),
    limiter: createLimiter(clock, () => limits),
    connect(token) {
      if (token !== APP_TOKEN) return null;
      return { url: `${settings.origin.replace("http", "ws")}/link?ticket=${socket.ticket()}` };
    },
  };

  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://fake").pathname;
    const answered = path.startsWith("/api/")
      ? answerMethod(deps, path.slice("/api/".length), request, response)
      : path.startsWith("/upload/")
        ? answerUpload(deps, request, response, path)
        : path.startsWith("/response/")
          ? responses.answer(request, response, path).then(log.changed)
          : answerDownload(deps, request, response, path);
    answered.catch((error: unknown) => {
      violations.push(`${path}: the fake failed: ${String(error)}`);
      response.destroy();
    });
  });
  server.on("upgrade", (request, stream) => socket.upgrade(request, stream));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  settings.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url: settings.origin,
    /** What a WebClient takes as `slackApiUrl`. */
    apiUrl: `${settings.origin}/api/`,
    appId: APP_ID,
    appToken: APP_TOKEN,
    signingSecret: SIGNING_SECRET,
    ...CLIENT,
    world,
    clock,
    /** What the app did that nobody who knows Slack does. A test that ends with any has found a bug. */
    violations,
    calls: log.calls,
    callsTo: (method: string) => log.calls.filter((call) => call.method === method),
    until: log.until,
    fail: faults.plan,
    /** From now on; null for none, which is how it starts. */
    limit(next: RateLimits | null) {
      limits = next;
    },
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
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
      await socket.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
