export interface TeamsManifestOptions {
  /** The app's id in Entra, which is also its bot's. */
  botAppId: string;
  /** What the app is called in Teams. */
  name: string;
  /** Where Deckhand is to be found. */
  url: URL;
  /**
   * The app reads the threads and chats it is added to: it then gets every message there, answers those that are for it, and
   * may ask Graph for earlier ones and for files. Else it sees only what mentions it.
   */
  readsContext: boolean;
  /** To be raised with each change, or Teams keeps what it has. */
  version: string;
}

/** Longer ones are refused. */
export const APP_NAME_CHARS_MAX = 30;
export const OUTLINE_ICON = "outline.png";
export const COLOR_ICON = "color.png";

/** Pure: what the app is in Teams, as its admin centre and its clients take it. */
export function teamsManifest({ botAppId, name, url, readsContext, version }: TeamsManifestOptions) {
  const address = url.origin;
  return {
    $schema: `https://developer.microsoft.com/json-schemas/teams/v${SCHEMA}/MicrosoftTeams.schema.json`,
    manifestVersion: SCHEMA,
    version,
    id: botAppId,
    developer: {
      name: name.slice(0, DEVELOPER_CHARS_MAX),
      websiteUrl: address,
      privacyUrl: address,
      termsOfUseUrl: address,
    },
    name: { short: name, full: name },
    description: { short: SHORT_DESCRIPTION, full: FULL_DESCRIPTION },
    icons: { outline: OUTLINE_ICON, color: COLOR_ICON },
    accentColor: ACCENT,
    bots: [
      {
        botId: botAppId,
        scopes: SCOPES,
        supportsFiles: true,
        isNotificationOnly: false,
        supportsTargetedMessages: true,
        // Said to be a list for each scope.
        commandLists: SCOPES.map((scope) => ({ scopes: [scope], triggers: ["mention", "slash"], commands: COMMANDS })),
      },
    ],
    permissions: ["identity", "messageTeamMembers"],
    validDomains: [url.host],
    webApplicationInfo: { id: botAppId, resource: `api://botid-${botAppId}` },
    ...(readsContext && { authorization: { permissions: { resourceSpecific: RESOURCE_SPECIFIC } } }),
  };
}

/** The first with commands after `/` and messages that only one person sees. */
const SCHEMA = "1.29";
const DEVELOPER_CHARS_MAX = 32;
const ACCENT = "#1F4E79";
const SCOPES = ["personal", "team", "groupChat"] as const;

const SHORT_DESCRIPTION = "Give it a task; the workbook, deck or document comes back in the same thread.";
const FULL_DESCRIPTION =
  "Works on tasks in a sandbox of its own: reads the files you attach, computes, and brings back workbooks, decks and " +
  "documents. Mention it in a channel or a group chat, or write to it; steer it by replying, and stop it at any time. What " +
  "it may not do by itself, it asks for.";

const COMMANDS = [
  { title: "stop", description: "End what it is doing for you" },
  { title: "status", description: "See how far it is" },
  { title: "steer", description: "Tell it something while it works" },
  { title: "new", description: "Start afresh, with nothing remembered" },
  { title: "agents", description: "See who can do the work" },
  { title: "use", description: "Give the work to another agent" },
  { title: "usage", description: "See what this month has cost" },
  { title: "help", description: "See what it can do" },
];

/** Granted by whoever adds the app to a team or a chat, for that one alone. */
const RESOURCE_SPECIFIC = [
  { name: "ChannelMessage.Read.Group", type: "Application" },
  { name: "ChatMessage.Read.Chat", type: "Application" },
  { name: "File.Read.Group", type: "Application" },
] as const;
