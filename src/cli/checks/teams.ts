import { z } from "zod";
import { createTeamsConnector } from "../../../bots/teams/connector.ts";
import { MESSAGES_PATH } from "../../../bots/teams/endpoint.ts";
import type { TeamsConnector } from "../../../bots/teams/teams-connector.ts";
import type { Config } from "../../config.ts";
import { messageOf } from "../../errors.ts";
import { appOf, cloudOf } from "../../roles/teams.ts";
import type { TeamsConfig } from "../../teams-config.ts";
import type { ChatFinding } from "./chat-finding.ts";
import { checkPlatform } from "./chat-platform.ts";

const ENDPOINT_TIMEOUT_MS = 5_000;
const TOKEN_TIMEOUT_MS = 15_000;

export interface GraphNeed {
  what: string;
  /** Any of these is enough, and each is what it takes together. The first is the least. */
  any: readonly [readonly string[], ...(readonly string[])[]];
  /** How it is to be had, or what there is, without. */
  otherwise: string;
}

export const GRAPH_NEEDS: readonly GraphNeed[] = [
  {
    what: "earlier messages of channels",
    any: [["ChannelMessage.Read.All"]],
    otherwise: "only by ChannelMessage.Read.Group where a team's owner added the app with it",
  },
  {
    what: "earlier messages of group chats",
    any: [["Chat.Read.All"], ["Chat.ReadWrite.All"]],
    otherwise: "only by ChatMessage.Read.Chat where somebody added the app with it",
  },
  {
    what: "files that people attach in channels and group chats",
    any: [["Files.Read.All"], ["Files.ReadWrite.All"], ["Sites.Read.All"], ["Sites.ReadWrite.All"]],
    otherwise: "only by Sites.Selected for the sites it was granted",
  },
  {
    what: "putting files into a channel's folder",
    any: [["Files.ReadWrite.All"], ["Sites.ReadWrite.All"]],
    otherwise: "only by Sites.Selected for the sites it was granted; links are posted elsewhere",
  },
  {
    what: "people by Entra group",
    any: [["User.Read.All", "GroupMember.Read.All"], ["Directory.Read.All"]],
    otherwise: "nobody is let in by --allow-groups, and no group of --approvers decides",
  },
];

/** What an app's own token says that it may do. */
const Claims = z.looseObject({ roles: z.array(z.string()).nullish() });

/** Everything that Teams and Deckhand need of each other, as far as it can be seen from here. Changes nothing. */
export async function checkTeams(config: Config, signal: AbortSignal): Promise<ChatFinding[]> {
  const { teams } = config;
  if (teams === null) return [NOT_SET, ...(await checkPlatform(config, signal))];
  const [credentials, endpoint, platform] = await Promise.all([
    checkCredentials(teams, signal),
    checkEndpoint(teams, signal),
    checkPlatform(config, signal),
  ]);
  signal.throwIfAborted();
  return [settingsFinding(teams), ...credentials, endpoint, ...platform];
}

const NOT_SET: ChatFinding = {
  state: "missing",
  subject: "Settings",
  detail: "MICROSOFT_APP_ID is not set, so there is no Teams",
  mend: "Set MICROSOFT_APP_ID, MICROSOFT_APP_PASSWORD and MICROSOFT_APP_TENANT_ID, see docs/teams.md.",
};

function settingsFinding({ app, allowedTenants }: TeamsConfig): ChatFinding {
  const subject = "Settings";
  if (!app) {
    const detail = "TEAMS_ALLOW_ANONYMOUS=1: anyone on this machine may pose as Teams";
    return {
      state: "cannot_tell",
      subject,
      detail,
      mend: "Unset it and set the MICROSOFT_APP_… variables for Teams itself.",
    };
  }
  const kind = app.tenantId === null ? "of many tenants" : `of tenant ${app.tenantId}`;
  const who = allowedTenants === null ? "every tenant may write" : `${allowedTenants.join(", ")} may write`;
  return { state: "ok", subject, detail: `app ${app.id} ${kind}; ${who}` };
}

async function checkCredentials(teams: TeamsConfig, signal: AbortSignal): Promise<ChatFinding[]> {
  if (!teams.app) return [];
  const subject = "Credentials";
  try {
    const connector = await createTeamsConnector({ app: await appOf(teams.app), cloud: cloudOf(teams) });
    const until = AbortSignal.any([signal, AbortSignal.timeout(TOKEN_TIMEOUT_MS)]);
    await connector.token("connector", teams.app.tenantId ?? "", until);
    const ok: ChatFinding = { state: "ok", subject, detail: "Microsoft gives out a token for the Bot Connector" };
    return [ok, ...(await graphFindings(teams, connector, until))];
  } catch (error) {
    signal.throwIfAborted();
    const mend = "Look at the app's client secret or certificate in Entra, and at MICROSOFT_APP_TYPE and _TENANT_ID.";
    return [{ state: "missing", subject, detail: messageOf(error), mend }];
  }
}

async function graphFindings(
  teams: TeamsConfig,
  connector: TeamsConnector,
  signal: AbortSignal,
): Promise<ChatFinding[]> {
  const subject = "Graph";
  if (!teams.graph) {
    const detail = "off: no earlier messages and no attached files outside of personal chats; files go out as links";
    return [{ state: "ok", subject, detail: `${detail}. TEAMS_GRAPH=1 turns it on` }];
  }
  const tenant = teams.app?.tenantId ?? teams.allowedTenants?.[0];
  if (!tenant) return [{ state: "cannot_tell", subject, detail: "on; each tenant grants its own permissions" }];
  try {
    const roles = rolesOf(await connector.token("graph", tenant, signal));
    return GRAPH_NEEDS.map(({ what, any, otherwise }) => {
      const granted = any.find((permissions) => permissions.every((permission) => roles.has(permission)));
      if (granted) return { state: "ok", subject, detail: `${what}, by ${granted.join(" and ")}` };
      const mend = `Grant the app ${any[0].join(" and ")} in Entra, with an admin's consent, for all of the tenant.`;
      return { state: "cannot_tell", subject, detail: `${what}: ${otherwise}`, mend };
    });
  } catch (error) {
    signal.throwIfAborted();
    return [
      {
        state: "missing",
        subject,
        detail: messageOf(error),
        mend: "An admin of the tenant has to consent to the app.",
      },
    ];
  }
}

/** Whether something listens. That Teams reaches it can't be seen from here. */
async function checkEndpoint({ host, port }: TeamsConfig, signal: AbortSignal): Promise<ChatFinding> {
  const subject = "Endpoint";
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}${MESSAGES_PATH}`;
  try {
    const until = AbortSignal.any([signal, AbortSignal.timeout(ENDPOINT_TIMEOUT_MS)]);
    const response = await fetch(url, { signal: until });
    await response.body?.cancel();
    const mend = `Its public https address with ${MESSAGES_PATH} must be the messaging endpoint of the Azure Bot.`;
    return {
      state: "cannot_tell",
      subject,
      detail: `${url} listens; whether Teams reaches it shows at first use`,
      mend,
    };
  } catch {
    signal.throwIfAborted();
    return { state: "missing", subject, detail: `nothing listens at ${url}`, mend: "Start it with `./deckhand up`." };
  }
}

/** A token that can't be read says nothing of what it permits. */
function rolesOf(token: string): ReadonlySet<string> {
  const [, payload = ""] = token.split(".");
  try {
    const claims = Claims.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString()));
    return new Set(claims.data?.roles ?? []);
  } catch (error) {
    if (error instanceof SyntaxError) return new Set();
    throw error;
  }
}
