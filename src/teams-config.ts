import type { Secret } from "./secrets/secret.ts";

/** How the Teams bot is connected. */
export interface TeamsConfig {
  /** Null in the anonymous mode, for clients on this machine. */
  app: TeamsAppConfig | null;
  /** Which of Microsoft's clouds; empty for the public one. */
  channelService: string;
  /** Other addresses than the cloud's own; null for those. */
  urls: { graph: string | null; login: string | null; openIdMetadata: string | null };
  /** In lower case; null when every tenant may write, which is only by an explicit `*` or in the anonymous mode. */
  allowedTenants: readonly string[] | null;
  /** Where activities come in. */
  host: string;
  port: number;
  /** Whether Graph is asked for what the Bot Connector has not: files and earlier messages of channels and group chats. */
  graph: boolean;
}

export interface TeamsAppConfig {
  id: string;
  /** Null of a multi-tenant app. */
  tenantId: string | null;
  credential:
    | { type: "password"; password: Secret }
    /** A PEM file with the certificate and its private key. */
    | { type: "certificate"; file: string }
    | { type: "managed_identity" };
}

/** What the environment says of Teams, each variable by itself already checked. */
export interface TeamsVariables {
  MICROSOFT_APP_ID?: string | undefined;
  MICROSOFT_APP_PASSWORD?: Secret | undefined;
  MICROSOFT_APP_TYPE: "SingleTenant" | "MultiTenant" | "UserAssignedMSI";
  MICROSOFT_APP_TENANT_ID?: string | undefined;
  MICROSOFT_APP_CERTIFICATE?: string | undefined;
  CHANNEL_SERVICE?: string | undefined;
  TEAMS_ALLOWED_TENANTS?: string | undefined;
  TEAMS_ALLOW_ANONYMOUS: "0" | "1";
  TEAMS_HOST: string;
  TEAMS_PORT: number;
  TEAMS_GRAPH: "0" | "1";
  TEAMS_GRAPH_URL?: string | undefined;
  TEAMS_LOGIN_URL?: string | undefined;
  TEAMS_OPENID_METADATA_URL?: string | undefined;
}

type Problem = { variable: keyof TeamsVariables; message: string };

/** Names of this machine that nobody else can reach, as settings and URLs have them. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\[::1\])$/i;
const EVERY_TENANT = "*";

/** Pure: what is missing or too much, by the variable that mends it. Empty when the settings fit together, or there are none. */
export function teamsProblems(given: TeamsVariables): Problem[] {
  if (given.TEAMS_ALLOW_ANONYMOUS === "1") return anonymousProblems(given);
  if (given.MICROSOFT_APP_ID === undefined) return orphanProblems(given);
  return credentialProblems(given);
}

/** Pure: null when there are no credentials, so that there is no Teams. To be called where `teamsProblems` found none. */
export function teamsConfig(given: TeamsVariables): TeamsConfig | null {
  const app = appOf(given);
  if (!app && given.TEAMS_ALLOW_ANONYMOUS === "0") return null;
  return {
    app,
    channelService: given.CHANNEL_SERVICE ?? "",
    urls: {
      graph: given.TEAMS_GRAPH_URL ?? null,
      login: given.TEAMS_LOGIN_URL ?? null,
      openIdMetadata: given.TEAMS_OPENID_METADATA_URL ?? null,
    },
    allowedTenants: allowedTenants(given, app),
    host: given.TEAMS_HOST,
    port: given.TEAMS_PORT,
    graph: given.TEAMS_GRAPH === "1",
  };
}

/** Pure: whether tokens may go there: by https, or to this machine. */
export function isSafeUrl(value: string): boolean {
  const url = URL.parse(value);
  return url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
}

function anonymousProblems({ MICROSOFT_APP_ID, TEAMS_HOST }: TeamsVariables): Problem[] {
  const problems: Problem[] = [];
  if (MICROSOFT_APP_ID !== undefined) {
    problems.push({
      variable: "TEAMS_ALLOW_ANONYMOUS",
      message: "lets anybody on this machine in, and MICROSOFT_APP_ID nobody but Teams: unset one of them",
    });
  }
  if (!LOOPBACK.test(TEAMS_HOST)) {
    const message = "must be an address of this machine alone, such as 127.0.0.1, while TEAMS_ALLOW_ANONYMOUS=1";
    problems.push({ variable: "TEAMS_HOST", message });
  }
  return problems;
}

function orphanProblems({ MICROSOFT_APP_PASSWORD, MICROSOFT_APP_CERTIFICATE }: TeamsVariables): Problem[] {
  if (!MICROSOFT_APP_PASSWORD && MICROSOFT_APP_CERTIFICATE === undefined) return [];
  return [{ variable: "MICROSOFT_APP_ID", message: "is missing: the app's password or certificate belongs to it" }];
}

function credentialProblems(given: TeamsVariables): Problem[] {
  const { MICROSOFT_APP_PASSWORD, MICROSOFT_APP_CERTIFICATE, MICROSOFT_APP_TYPE, MICROSOFT_APP_TENANT_ID } = given;
  const problems: Problem[] = [];
  // Without it, every tenant would be let in.
  if (MICROSOFT_APP_TYPE !== "MultiTenant" && MICROSOFT_APP_TENANT_ID === undefined) {
    const message = "is missing: an app of one tenant needs it. MICROSOFT_APP_TYPE=MultiTenant is for the others";
    problems.push({ variable: "MICROSOFT_APP_TENANT_ID", message });
  }
  if (MICROSOFT_APP_TYPE === "MultiTenant" && namedTenants(given).length === 0) {
    const message = "is missing: name the tenants that may write to a MultiTenant app, or * for every tenant there is";
    problems.push({ variable: "TEAMS_ALLOWED_TENANTS", message });
  }
  if (MICROSOFT_APP_TYPE === "UserAssignedMSI") {
    if (MICROSOFT_APP_PASSWORD || MICROSOFT_APP_CERTIFICATE !== undefined) {
      const message = "is UserAssignedMSI, which takes neither a password nor a certificate: unset them";
      problems.push({ variable: "MICROSOFT_APP_TYPE", message });
    }
  } else if (MICROSOFT_APP_PASSWORD && MICROSOFT_APP_CERTIFICATE !== undefined) {
    const message = "and MICROSOFT_APP_PASSWORD are both set: unset one of them";
    problems.push({ variable: "MICROSOFT_APP_CERTIFICATE", message });
  } else if (!MICROSOFT_APP_PASSWORD && MICROSOFT_APP_CERTIFICATE === undefined) {
    const message = "is missing: set it, or MICROSOFT_APP_CERTIFICATE, or MICROSOFT_APP_TYPE=UserAssignedMSI";
    problems.push({ variable: "MICROSOFT_APP_PASSWORD", message });
  }
  return problems;
}

function appOf(given: TeamsVariables): TeamsAppConfig | null {
  const { MICROSOFT_APP_ID: id, MICROSOFT_APP_PASSWORD: password, MICROSOFT_APP_CERTIFICATE: file } = given;
  if (id === undefined) return null;
  const tenantId = given.MICROSOFT_APP_TYPE === "MultiTenant" ? null : (given.MICROSOFT_APP_TENANT_ID ?? null);
  if (given.MICROSOFT_APP_TYPE === "UserAssignedMSI") return { id, tenantId, credential: { type: "managed_identity" } };
  if (file !== undefined) return { id, tenantId, credential: { type: "certificate", file } };
  return password ? { id, tenantId, credential: { type: "password", password } } : null;
}

/** An app of one tenant is for that one, unless others are named. */
function allowedTenants(given: TeamsVariables, app: TeamsAppConfig | null): string[] | null {
  const named = namedTenants(given);
  if (named.includes(EVERY_TENANT)) return null;
  if (named.length > 0) return named;
  return app && (app.tenantId === null ? [] : [app.tenantId.toLowerCase()]);
}

function namedTenants({ TEAMS_ALLOWED_TENANTS = "" }: TeamsVariables): string[] {
  return TEAMS_ALLOWED_TENANTS.toLowerCase()
    .split(/[\s,]+/)
    .filter((tenant) => tenant !== "");
}
