/**
 * Microsoft Teams at the edge of the world, as we understand it: ours, made from documentation and from what others report.
 * It is stricter than Teams where that finds bugs. Passing it is no evidence about Teams.
 *
 * One loopback origin has all of it: the Bot Connector (`/amer/v3`), OpenID metadata and keys (`/v1/.well-known`), Entra's
 * token endpoint (`/<tenant>/oauth2/v2.0/token`), Graph (`/graph/v1.0`), uploads and downloads (`/onedrive`).
 *
 * How botbuilder 4.23.3 is pointed at it, as tried:
 * - Its Password and Certificate factories ask Microsoft through MSAL, which wants `https` and asks login.microsoftonline.com
 *   about hosts that it doesn't know; nobody can tell them another endpoint. So a bot brings a ServiceClientCredentialsFactory of
 *   its own, whose credentials get tokens at `loginUrl`: see `teams/botbuilder-bot.ts`. (An MSAL client of one's own can be told:
 *   `auth.authorityMetadata`, JSON with an http `token_endpoint` of `<loginUrl>/{tenant}/oauth2/v2.0/token`, is believed. It puts the
 *   tenant where the first part of the path was, so that `loginUrl` is an origin without a path.)
 * - AppCredentials caches tokens by app id and scope for the whole process, so each fake has another app id.
 * - Inbound tokens are checked against `ToBotFromChannelOpenIdMetadataUrl`, where http is fine. As soon as one of the URLs is
 *   set in ConfigurationBotFrameworkAuthentication, none of the others has a default any more: ToChannelFromBotLoginUrl,
 *   ToChannelFromBotOAuthScope, ToBotFromChannelTokenIssuer, OAuthUrl, ToBotFromEmulatorOpenIdMetadataUrl and CallerId are to
 *   be set with it. Metadata is cached by URL, so a fake on another port has its own.
 * - `adapter.process` answers 500, not 401, to a wrong signature, a token not yet valid and an algorithm that is not allowed
 *   (jsonwebtoken's errors go through), and writes them to the console. Its logic does not run.
 * - `continueConversationAsync` makes up a `replyToId`, which Teams takes no notice of; so does the fake.
 */
import { randomUUID, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClock } from "./slack/clock.ts";
import type { LoggedCall } from "./teams/call-log.ts";
import { createChannelTokens } from "./teams/channel-tokens.ts";
import { type ConnectorDeps, messageOperations } from "./teams/connector.ts";
import { conversationOperations } from "./teams/conversations.ts";
import { fillWorld, OTHER_TENANT, TENANT } from "./teams/default-world.ts";
import { createDrive } from "./teams/drive.ts";
import { createFaultPlan } from "./teams/faults.ts";
import { graphOperations } from "./teams/graph.ts";
import { createInteractions } from "./teams/interactions.ts";
import { createLifecycle } from "./teams/lifecycle.ts";
import { createLogin } from "./teams/login.ts";
import { createOutbox } from "./teams/outbox.ts";
import { createPeople } from "./teams/people.ts";
import type { FakeTeamsOptions } from "./teams/options.ts";
import { answer } from "./teams/service.ts";
import { createStreams } from "./teams/streaming.ts";
import { createThrottle, type Throttles } from "./teams/throttles.ts";
import { type Activity, conversationOf, createWorld } from "./teams/world.ts";
import { createWaiting } from "./waiting.ts";

export type { FakeTeamsOptions } from "./teams/options.ts";
export type FakeTeams = Awaited<ReturnType<typeof startFakeTeams>>;

/** With the people and places of `default-world.ts`. */
export async function startFakeTeams(options: FakeTeamsOptions = {}) {
  const { anonymous = false, registeredIn = TENANT } = options;
  const appId = options.appId ?? randomUUID();
  const clock = createClock();
  const world = createWorld(clock, appId);
  fillWorld(world);
  const waiting = createWaiting("The fake Teams");
  const calls: LoggedCall[] = [];
  const violations: string[] = [];
  const faults = createFaultPlan();
  const closing = new AbortController();
  let throttles: Throttles | null = null;
  let endpoint = options.deliverTo ?? null;
  let origin = "";
  const serviceUrl = () => `${origin}/amer/`;
  const app = {
    appId,
    password: options.certificate ? "" : "fake-app-password",
    tenantId: registeredIn === "multi" ? null : registeredIn,
    certificate: options.certificate === undefined ? null : new X509Certificate(options.certificate),
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? 3_600,
  };
  const login = createLogin(world, app);
  const tokens = createChannelTokens(clock, appId, () => origin);
  const admit: ConnectorDeps["admit"] = (call) => (anonymous ? null : login.grantOf(call, "connector"));
  const drive = createDrive({
    world,
    origin: () => origin,
    serviceUrl,
    downloadLifetimeMs: options.downloadLifetimeMs ?? 5 * 60_000,
    admitConnector: admit,
  });
  const streams = createStreams(clock, {
    intervalMs: options.streamIntervalMs ?? 1_000,
    lifetimeMs: options.streamLifetimeMs ?? 2 * 60_000,
  });
  const throttle = createThrottle(clock, () => throttles);
  const messageSizeMaxBytes = options.messageSizeMaxBytes ?? 80 * 1024;
  const connector: ConnectorDeps = { world, streams, throttle, messageSizeMaxBytes, admit };
  const service = {
    operations: [
      ...tokens.operations,
      ...login.operations,
      ...messageOperations(connector),
      ...conversationOperations(connector),
      ...drive.operations,
      ...graphOperations({ world, drive, login }),
    ],
    clock,
    calls,
    violations,
    faults,
    changed: waiting.changed,
  };
  const outbox = createOutbox({
    tokens,
    serviceUrl,
    endpoint: () => endpoint,
    answerWithinMs: options.answerWithinMs ?? 15_000,
    redeliveryDelaysMs: options.redeliveryDelaysMs ?? [1_000, 5_000, 15_000],
    anonymous,
    changed: waiting.changed,
    signal: closing.signal,
  });

  const server = createServer((request, response) => {
    answer(service, request, response).catch((error: unknown) => {
      violations.push(`${request.url}: the fake failed: ${String(error)}`);
      response.destroy();
    });
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const shown = (name: string, rootId?: string): Activity[] => {
    const conversation = conversationOf(world, name);
    const there = world.activities.filter((each) => each.conversation === conversation && !each.deleted);
    return rootId === undefined ? there : there.filter((each) => each.rootId === rootId);
  };

  return {
    url: origin,
    appId,
    appPassword: app.password,
    tenantId: TENANT,
    otherTenantId: OTHER_TENANT,
    serviceUrl: serviceUrl(),
    /** In place of https://login.microsoftonline.com. */
    loginUrl: origin,
    /** In place of https://login.botframework.com/v1/.well-known/openidconfiguration. */
    openIdMetadataUrl: `${origin}/v1/.well-known/openidconfiguration`,
    /** In place of https://graph.microsoft.com/v1.0. */
    graphUrl: `${origin}/graph/v1.0`,
    /** Where upload and download URLs point: to be among the places that the bot allows. */
    fileOrigin: origin,
    world,
    clock,
    /** What the bot did that nobody who knows Teams does. A test that ends with any has found a bug. */
    violations,
    calls,
    callsTo: (operation: string) => calls.filter((call) => call.operation === operation),
    until: waiting.until,
    fail: faults.plan,
    /** From now on; null for none, which is how it starts. */
    limit(next: Throttles | null) {
      throttles = next;
    },
    /** Grants the app something in Graph, such as `Files.ReadWrite.All`. */
    permit(permission: string, tenantId = TENANT) {
      world.tenants.get(tenantId)?.graphPermissions.add(permission);
    },
    deliverTo(url: URL | null) {
      endpoint = url;
    },
    deliveries: outbox.sent,
    redeliver: outbox.redeliver,
    /** Sends an activity as it is. */
    deliver: outbox.send,
    /** The `Authorization` header that comes with an activity. */
    authorization: tokens.authorization,
    streams: streams.all,
    uploads: drive.sessions,
    /** What can be seen in a conversation, or in a channel's thread. */
    messages: shown,
    /** What the bot wrote there. */
    written: (name: string, rootId?: string) => shown(name, rootId).filter(({ from }) => from === null),
    ...createPeople({
      world,
      outbox,
      drive,
      serviceUrl,
      hearsEverything: options.hearsEverything ?? false,
      groupIdInMessages: options.groupIdInMessages ?? false,
    }),
    ...createInteractions({ world, outbox, drive, serviceUrl }),
    ...createLifecycle({ world, outbox, streams, serviceUrl }),
    async close() {
      closing.abort();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
