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
  graphUrl: string;
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
    graphUrl: "https://graph.microsoft.com/",
    connectorTenant: "botframework.com",
  },
  "https://botframework.azure.us": { ...GOVERNMENT, graphUrl: "https://graph.microsoft.us/" },
  "https://apiDoD.botframework.azure.us": { ...GOVERNMENT, graphUrl: "https://dod-graph.microsoft.us/" },
  "https://botframework.azure.cn": {
    loginUrl: "https://login.partner.microsoftonline.cn/",
    connectorResource: "https://api.botframework.azure.cn",
    tokenIssuer: "https://api.botframework.azure.cn",
    openIdMetadataUrl: "https://login.botframework.azure.cn/v1/.well-known/openidconfiguration",
    graphUrl: "https://microsoftgraph.chinacloudapi.cn/",
    connectorTenant: "microsoftservices.partner.onmschina.cn",
  },
} satisfies Record<string, TeamsCloud>;

/** A value of `CHANNEL_SERVICE`. */
export type ChannelService = keyof typeof TEAMS_CLOUDS;
