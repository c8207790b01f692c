import type * as Botbuilder from "botbuilder";
import type * as BotConnector from "botframework-connector";
import type { ConnectorClient } from "botframework-connector";
import { ZodError } from "zod";
import { AppError } from "../../src/errors.ts";
import { type AppCredential, createAppTokens } from "./app-token.ts";
import { type CallerCheckOptions, type ClaimedOrigin, createCallerCheck } from "./caller-check.ts";
import type { TeamsCloud } from "./clouds.ts";
import { callTeams, type TeamsAnswer } from "./connector-http.ts";
import { activitiesUrl, activityIdIn, addressed, memberIn, membersIn, teamGroupIn, teamUrl } from "./connector-wire.ts";
import { type ConversationRef, type TeamsConnector, type TeamsMember, TeamsRefusedError } from "./teams-connector.ts";
import { withRoot } from "./teams-thread.ts";

type HttpClient = NonNullable<NonNullable<ConstructorParameters<typeof ConnectorClient>[1]>["httpClient"]>;
type WireRequest = Parameters<HttpClient["sendRequest"]>[0];
type WireActivity = Parameters<ConnectorClient["conversations"]["sendToConversation"]>[1];

/** Null as `app` is the anonymous mode: nobody proves anything, in neither direction. */
export interface TeamsConnectorOptions {
  app: {
    id: string;
    credential: TeamsCredential;
    /** Of an app of one tenant, and of a managed identity; null of a multi-tenant one. */
    tenantId: string | null;
  } | null;
  cloud: TeamsCloud;
}

export type TeamsCredential =
  | Extract<AppCredential, { type: "password" | "certificate" }>
  | { type: "managed_identity" };

const CALL_TIMEOUT_MS = 10_000;
const NOT_FOUND = 404;
const PAGE_MEMBERS = 200;
const MEMBER_PAGES_MAX = 20;
/** A message with a picture in it. */
const SEND_TIMEOUT_MS = 20_000;

/**
 * The Bot Connector by Microsoft's `botbuilder`, of which this is the only importer: its checks of who calls, its client for
 * what goes out. The package is loaded here and not before: it takes a quarter of a second and 60 MB.
 *
 * Loading mends its mapper of `entities` for the whole process: as released it drops every field that it does not know,
 * and with them streaming, citations and the AI label.
 */
export async function createTeamsConnector({ app, cloud }: TeamsConnectorOptions): Promise<TeamsConnector> {
  const [botbuilder, connector, mappers] = await Promise.all([
    import("botbuilder"),
    import("botframework-connector"),
    import("botframework-connector/lib/connectorApi/models/mappers.js"),
  ]);
  mappers.Entity.type.additionalProperties = { type: { name: "Object" } };

  const tokens =
    app &&
    createAppTokens({
      appId: app.id,
      credential: credentialOf(connector, app.id, app.credential),
      loginUrl: cloud.loginUrl,
    });
  const connectorTenant = app?.tenantId ?? cloud.connectorTenant;
  const { tokenIssuer } = cloud;
  const claimsOf = app && claimsReader(botbuilder, connector, app.id, cloud);

  const authorization = async (signal: AbortSignal): Promise<Record<string, string>> => {
    if (!tokens) return {};
    return { authorization: `Bearer ${await tokens.get(cloud.connectorResource, connectorTenant, signal)}` };
  };
  /** A client for one call, which ends with the call's signal. What the call answers is for the caller to parse. */
  const call = async (
    { serviceUrl }: ConversationRef,
    what: string,
    timeoutMs: number,
    signal: AbortSignal,
    run: (client: ConnectorClient) => Promise<unknown>,
  ): Promise<string> => {
    const headers = await authorization(signal);
    let text = "";
    const httpClient: HttpClient = {
      async sendRequest(request) {
        const answer = await callTeams(
          {
            method: request.method,
            url: request.url,
            headers: { ...request.headers.rawHeaders(), ...headers },
            ...bodyOf(request),
          },
          { what, timeoutMs, signal },
        );
        text = answer.text;
        return wireAnswer(request, answer);
      },
    };
    const unsigned = { signRequest: async (request: WireRequest) => request };
    await run(new connector.ConnectorClient(unsigned, { baseUri: serviceUrl, httpClient }));
    return text;
  };

  const member: TeamsConnector["member"] = async (ref, userId, signal) => {
    try {
      const text = await call(ref, "a member", CALL_TIMEOUT_MS, signal, (client) =>
        client.conversations.getConversationMember(ref.conversationId, userId),
      );
      return memberIn(text);
    } catch (error) {
      if (!(error instanceof TeamsRefusedError) || error.refusal.status !== NOT_FOUND) throw error;
      const found = await memberListed(ref, userId, signal);
      if (!found) throw error;
      return found;
    }
  };
  /** Microsoft's own playground knows members by their other id alone. */
  const memberListed = async (ref: ConversationRef, userId: string, signal: AbortSignal) => {
    let next: string | null = null;
    for (let pages = 0; pages < MEMBER_PAGES_MAX; pages++) {
      const token = next;
      const text = await call(ref, "the members", CALL_TIMEOUT_MS, signal, async ({ conversations }) =>
        token === null
          ? await conversations.getConversationPagedMembers(ref.conversationId)
          : await conversations.getConversationPagedMembers(ref.conversationId, {
              pageSize: PAGE_MEMBERS,
              continuationToken: token,
            }),
      );
      const page = membersIn(text);
      const found = page.members.find(({ id, aadObjectId }) => aadObjectId === userId || id === userId);
      if (found) return found;
      if (page.next === null) return null;
      next = page.next;
    }
    return null;
  };

  return {
    authenticate: claimsOf ? createCallerCheck({ tokenIssuer, claimsOf }) : async () => {},

    async send(ref, rootId, activity, signal) {
      const wire = asWireActivity(addressed(ref, rootId, activity));
      const text = await call(ref, "a message", SEND_TIMEOUT_MS, signal, (client) =>
        client.conversations.sendToConversation(withRoot(ref.conversationId, rootId), wire),
      );
      return activityIdIn(text);
    },

    async update(ref, rootId, activityId, activity, signal) {
      const wire = asWireActivity({ ...addressed(ref, rootId, activity), id: activityId });
      await call(ref, "an update", SEND_TIMEOUT_MS, signal, (client) =>
        client.conversations.updateActivity(withRoot(ref.conversationId, rootId), activityId, wire),
      );
    },

    async remove(ref, rootId, activityId, signal) {
      await call(ref, "a removal", CALL_TIMEOUT_MS, signal, (client) =>
        client.conversations.deleteActivity(withRoot(ref.conversationId, rootId), activityId),
      );
    },

    async sendTargeted(ref, rootId, userId, activity, signal) {
      // The package's own way of sending overwrites whom it is for.
      const url = activitiesUrl(ref, rootId);
      url.searchParams.set("isTargetedActivity", "true");
      const body = JSON.stringify({ ...addressed(ref, rootId, activity), recipient: { id: userId, isTargeted: true } });
      const headers = { "content-type": "application/json", ...(await authorization(signal)) };
      const options = { what: "a targeted message", timeoutMs: SEND_TIMEOUT_MS, signal };
      await callTeams({ method: "POST", url: url.href, headers, body }, options);
    },

    member: app ? member : (ref, userId, signal) => orUnknown(member(ref, userId, signal), ref, userId),

    async team(ref, signal) {
      if (!ref.team) return { aadGroupId: null };
      const { href: url } = teamUrl(ref, ref.team.id);
      const options = { what: "the team", timeoutMs: CALL_TIMEOUT_MS, signal };
      const { text } = await callTeams({ method: "GET", url, headers: await authorization(signal) }, options);
      return { aadGroupId: teamGroupIn(text) };
    },

    async token(audience, tenantId, signal) {
      if (!tokens) throw new AppError("authentication", "Without an app there are no tokens.");
      return audience === "graph"
        ? await tokens.get(cloud.graphResource, tenantId, signal)
        : await tokens.get(cloud.connectorResource, connectorTenant, signal);
    },
  };
}

/**
 * A client that only shows what it is sent has no members to tell of, and one that names no tenant may tell one of its
 * members: whose tenant is whose means nothing there.
 */
async function orUnknown(asked: Promise<TeamsMember>, { user }: ConversationRef, userId: string): Promise<TeamsMember> {
  try {
    return { ...(await asked), tenantId: null };
  } catch (error) {
    const isNone = error instanceof TeamsRefusedError || error instanceof ZodError || error instanceof SyntaxError;
    if (!isNone) throw error;
    const name = user?.aadObjectId === userId || user?.id === userId ? (user.name ?? "") : "";
    return { id: userId, aadObjectId: userId, name, email: null, userRole: null, tenantId: null };
  }
}

/** The package's own check. Its classes are made once: they keep the issuer's keys. */
function claimsReader(
  { ConfigurationBotFrameworkAuthentication, ConfigurationServiceClientCredentialFactory }: typeof Botbuilder,
  { AuthenticationConstants }: typeof BotConnector,
  appId: string,
  cloud: TeamsCloud,
): CallerCheckOptions["claimsOf"] {
  const authentication = new ConfigurationBotFrameworkAuthentication(
    {
      ToBotFromChannelTokenIssuer: cloud.tokenIssuer,
      ToBotFromChannelOpenIdMetadataUrl: cloud.openIdMetadataUrl,
      ToBotFromEmulatorOpenIdMetadataUrl: cloud.openIdMetadataUrl,
      ToChannelFromBotLoginUrl: cloud.loginUrl,
      ToChannelFromBotOAuthScope: cloud.connectorResource,
    },
    new ConfigurationServiceClientCredentialFactory({ MicrosoftAppId: appId, MicrosoftAppPassword: "" }),
  );
  return async (authorization, origin) => {
    const { claimsIdentity } = await authentication.authenticateRequest(asActivity(origin), authorization);
    return {
      issuer: claimsIdentity.getClaimValue(AuthenticationConstants.IssuerClaim),
      serviceUrl: claimsIdentity.getClaimValue(AuthenticationConstants.ServiceUrlClaim),
    };
  };
}

function credentialOf(
  { JwtTokenProviderFactory }: typeof BotConnector,
  appId: string,
  credential: TeamsCredential,
): AppCredential {
  if (credential.type !== "managed_identity") return credential;
  const provider = new JwtTokenProviderFactory().createAzureServiceTokenProvider(appId);
  return {
    type: "managed_identity",
    async tokenFor(resource) {
      const scope = `${resource.replace(/\/$/, "")}/.default`;
      return (await provider.getToken(scope)).token;
    },
  };
}

function bodyOf({ body }: WireRequest): { body?: string } {
  return typeof body === "string" ? { body } : {};
}

/** The headers' class can't be had by itself, but each request has one. */
function wireAnswer(request: WireRequest, { status, headers, text }: TeamsAnswer) {
  const own = request.headers.clone();
  for (const name of own.headerNames()) own.remove(name);
  for (const [name, value] of headers) own.set(name, value);
  return { request, status, headers: own, bodyAsText: text };
}

/** The package's type has `undefined` in another sense than ours. */
function asWireActivity(activity: object): WireActivity {
  return activity;
}

/** What is read of it when a caller is checked. */
function asActivity(origin: ClaimedOrigin): Botbuilder.Activity {
  return origin as Botbuilder.Activity;
}
