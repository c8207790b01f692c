import type { Secret } from "./secrets/secret.ts";

/** How the Slack app is connected. */
export interface SlackConfig {
  apiUrl: string;
  /** Socket Mode needs no public address; HTTP has Slack post to us. */
  transport: { type: "socket"; appToken: Secret } | { type: "http"; signingSecret: Secret };
  /** One workspace by its token, or as many as install the app. */
  workspaces: { type: "token"; botToken: Secret } | SlackOAuthConfig;
  /** Where events come in by HTTP, and people install the app. */
  host: string;
  port: number;
  /** Whether answers in direct messages are shown while they are written. */
  streaming: "auto" | "off";
}

/** Workspaces and organisations install the app. */
export interface SlackOAuthConfig {
  type: "oauth";
  clientId: string;
  clientSecret: Secret;
  stateSecret: Secret;
  /** Team and enterprise ids; null when anybody may install the app, which is only by an explicit `*`. */
  allowedTeams: readonly string[] | null;
  redirectUri: string | null;
}

/** What the environment says of Slack, each variable by itself already checked. */
export interface SlackVariables {
  SLACK_BOT_TOKEN?: Secret | undefined;
  SLACK_APP_TOKEN?: Secret | undefined;
  SLACK_SIGNING_SECRET?: Secret | undefined;
  SLACK_CLIENT_ID?: string | undefined;
  SLACK_CLIENT_SECRET?: Secret | undefined;
  SLACK_STATE_SECRET?: Secret | undefined;
  SLACK_ALLOWED_TEAMS?: string | undefined;
  SLACK_REDIRECT_URI?: string | undefined;
  SLACK_API_URL: string;
  SLACK_HOST: string;
  SLACK_PORT: number;
  SLACK_STREAMING: "auto" | "off";
}

const EVERY_TEAM = "*";

type Problem = { variable: keyof SlackVariables; message: string };

/** Pure: what is missing or too much, by the variable that mends it. Empty when the settings fit together, or there are none. */
export function slackProblems(given: SlackVariables): Problem[] {
  if (!isGiven(given)) return [];
  return [...transportProblems(given), ...workspaceProblems(given)];
}

/** Pure: null when nothing is set, so that there is no Slack. To be called where `slackProblems` found none. */
export function slackConfig(given: SlackVariables): SlackConfig | null {
  const transport = transportOf(given);
  const workspaces = workspacesOf(given);
  if (!transport || !workspaces) return null;
  return {
    apiUrl: given.SLACK_API_URL,
    transport,
    workspaces,
    host: given.SLACK_HOST,
    port: given.SLACK_PORT,
    streaming: given.SLACK_STREAMING,
  };
}

function isGiven(given: SlackVariables): boolean {
  return [
    given.SLACK_BOT_TOKEN,
    given.SLACK_APP_TOKEN,
    given.SLACK_SIGNING_SECRET,
    given.SLACK_CLIENT_ID,
    given.SLACK_CLIENT_SECRET,
  ].some((value) => value !== undefined);
}

function transportProblems({ SLACK_APP_TOKEN, SLACK_SIGNING_SECRET }: SlackVariables): Problem[] {
  if (SLACK_APP_TOKEN || SLACK_SIGNING_SECRET) return [];
  return [
    {
      variable: "SLACK_APP_TOKEN",
      message: "is missing: set it for Socket Mode (xapp-…), or SLACK_SIGNING_SECRET for events by HTTP",
    },
  ];
}

function workspaceProblems(given: SlackVariables): Problem[] {
  const { SLACK_BOT_TOKEN, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_STATE_SECRET } = given;
  if (SLACK_BOT_TOKEN && SLACK_CLIENT_ID) {
    const message = "is for installing by OAuth, SLACK_BOT_TOKEN for one workspace: unset one of them";
    return [{ variable: "SLACK_CLIENT_ID", message }];
  }
  if (SLACK_BOT_TOKEN) return [];
  if (!SLACK_CLIENT_ID && !SLACK_CLIENT_SECRET) {
    const message =
      "is missing: set it (xoxb-…), or SLACK_CLIENT_ID and its secrets to have the app installed by OAuth";
    return [{ variable: "SLACK_BOT_TOKEN", message }];
  }
  const needed: [keyof SlackVariables, unknown, string][] = [
    ["SLACK_CLIENT_ID", SLACK_CLIENT_ID, "is missing: it belongs to SLACK_CLIENT_SECRET"],
    ["SLACK_CLIENT_SECRET", SLACK_CLIENT_SECRET, "is missing: installing by OAuth needs it"],
    [
      "SLACK_STATE_SECRET",
      SLACK_STATE_SECRET,
      "is missing: installing by OAuth needs it; any long random text, such as of `openssl rand -hex 32`",
    ],
  ];
  return [
    ...needed.flatMap(([variable, value, message]) => (value === undefined ? [{ variable, message }] : [])),
    ...teamProblems(given),
  ];
}

/** Whoever installs the app gets the use of this Deckhand, so who may is never left open by oversight. */
function teamProblems(given: SlackVariables): Problem[] {
  const variable = "SLACK_ALLOWED_TEAMS";
  const named = namedTeams(given);
  if (named.length === 0) {
    const message =
      "is missing: name the teams (T…) and enterprises (E…) that may install the app, or * for all there are";
    return [{ variable, message }];
  }
  const wrong = named.filter((team) => team !== EVERY_TEAM && !/^[TE][A-Z0-9]+$/.test(team));
  return wrong.length === 0
    ? []
    : [{ variable, message: `must be team ids (T…) and enterprise ids (E…), or *: not ${wrong.join(", ")}` }];
}

function transportOf({ SLACK_APP_TOKEN, SLACK_SIGNING_SECRET }: SlackVariables): SlackConfig["transport"] | null {
  if (SLACK_APP_TOKEN) return { type: "socket", appToken: SLACK_APP_TOKEN };
  return SLACK_SIGNING_SECRET ? { type: "http", signingSecret: SLACK_SIGNING_SECRET } : null;
}

function workspacesOf(given: SlackVariables): SlackConfig["workspaces"] | null {
  const { SLACK_BOT_TOKEN, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_STATE_SECRET, SLACK_REDIRECT_URI } = given;
  if (SLACK_BOT_TOKEN) return { type: "token", botToken: SLACK_BOT_TOKEN };
  if (!SLACK_CLIENT_ID || !SLACK_CLIENT_SECRET || !SLACK_STATE_SECRET) return null;
  return {
    type: "oauth",
    clientId: SLACK_CLIENT_ID,
    clientSecret: SLACK_CLIENT_SECRET,
    stateSecret: SLACK_STATE_SECRET,
    allowedTeams: allowedTeams(given),
    redirectUri: SLACK_REDIRECT_URI ?? null,
  };
}

function allowedTeams(given: SlackVariables): string[] | null {
  const named = namedTeams(given);
  return named.includes(EVERY_TEAM) ? null : named;
}

function namedTeams({ SLACK_ALLOWED_TEAMS = "" }: SlackVariables): string[] {
  return SLACK_ALLOWED_TEAMS.split(",")
    .map((team) => team.trim())
    .filter((team) => team !== "");
}
