/** Where Microsoft's services are in one of its clouds. Wire facts: the cloud pages of the Bot Framework and of Graph. */
export interface TeamsCloud {
  /** Hands out tokens; the tenant follows. */
  loginUrl: string;
  /** Whose token to ask for to call the Bot Connector. */
  connectorResource: string;
  /** Who signs what the Bot Connector sends to us. */
  tokenIssuer: string;
  /** Names the keys of the issuer. */
  openIdMetadataUrl: string;
  /** Whose token to ask for to call Graph. */
  graphResource: string;
  /** Where Graph is, with its version. */
  graphUrl: string;
  /** Where people open Teams. */
  teamsUrl: string;
  /** Whether bots may offer files in personal chats. */
  botFiles: boolean;
  /** Of a multi-tenant app: the tenant that its tokens for the Bot Connector come from. */
  connectorTenant: string;
}

const GOVERNMENT = {
  loginUrl: "https://login.microsoftonline.us/",
  connectorResource: "https://api.botframework.us",
  tokenIssuer: "https://api.botframework.us",
  openIdMetadataUrl: "https://login.botframework.azure.us/v1/.well-known/openidconfiguration",
  connectorTenant: "MicrosoftServices.onmicrosoft.us",
};

/** By `CHANNEL_SERVICE`; the empty one is the public cloud. */
export const TEAMS_CLOUDS = {
  "": {
    loginUrl: "https://login.microsoftonline.com/",
    connectorResource: "https://api.botframework.com",
    tokenIssuer: "https://api.botframework.com",
    openIdMetadataUrl: "https://login.botframework.com/v1/.well-known/openidconfiguration",
    graphResource: "https://graph.microsoft.com",
    graphUrl: "https://graph.microsoft.com/v1.0",
    teamsUrl: "https://teams.microsoft.com",
    botFiles: true,
    connectorTenant: "botframework.com",
  },
  "https://botframework.azure.us": {
    ...GOVERNMENT,
    graphResource: "https://graph.microsoft.us",
    graphUrl: "https://graph.microsoft.us/v1.0",
    teamsUrl: "https://gov.teams.microsoft.us",
    botFiles: false,
  },
  "https://apiDoD.botframework.azure.us": {
    ...GOVERNMENT,
    graphResource: "https://dod-graph.microsoft.us",
    graphUrl: "https://dod-graph.microsoft.us/v1.0",
    teamsUrl: "https://dod.teams.microsoft.us",
    botFiles: false,
  },
  "https://botframework.azure.cn": {
    loginUrl: "https://login.partner.microsoftonline.cn/",
    connectorResource: "https://api.botframework.azure.cn",
    tokenIssuer: "https://api.botframework.azure.cn",
    openIdMetadataUrl: "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
    graphResource: "https://microsoftgraph.chinacloudapi.cn",
    graphUrl: "https://microsoftgraph.chinacloudapi.cn/v1.0",
    teamsUrl: "https://teams.microsoftonline.cn",
    botFiles: false,
    connectorTenant: "microsoftservices.partner.onmschina.cn",
  },
} satisfies Record<string, TeamsCloud>;

/** Pure. @throws Error for a value of `CHANNEL_SERVICE` that names no cloud */
export function teamsCloud(channelService: string): TeamsCloud {
  const found = Object.entries(TEAMS_CLOUDS).find(([name]) => name === channelService);
  if (!found) throw new Error(`There is no cloud ${JSON.stringify(channelService)}.`);
  return found[1];
}
