import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { ConfidentialClientApplication, type NodeAuthOptions } from "@azure/msal-node";
import { CloudAdapter, ConfigurationBotFrameworkAuthentication, type TurnContext } from "botbuilder";
import { MsalServiceClientCredentialsFactory } from "botframework-connector";
import type { FakeTeams } from "../teams-connector.ts";

export type Credential = Pick<NodeAuthOptions, "clientSecret" | "clientCertificate">;

/** A bot on the real botbuilder and the real MSAL, with nothing of ours: what the fake is tried against. */
export interface BotbuilderBot {
  adapter: CloudAdapter;
  msal: ConfidentialClientApplication;
  /** Its messaging endpoint. */
  endpoint: URL;
  close(): Promise<void>;
}

export async function startBotbuilderBot(
  fake: FakeTeams,
  onTurn: (context: TurnContext) => Promise<void>,
  credential: Credential = { clientSecret: fake.appPassword },
): Promise<BotbuilderBot> {
  const msal = msalFor(fake, credential);
  const adapter = new CloudAdapter(
    new ConfigurationBotFrameworkAuthentication(
      {
        MicrosoftAppId: fake.appId,
        ToChannelFromBotLoginUrl: "https://login.microsoftonline.com/botframework.com",
        ToChannelFromBotOAuthScope: "https://api.botframework.com",
        ToBotFromChannelTokenIssuer: "https://api.botframework.com",
        ToBotFromChannelOpenIdMetadataUrl: fake.openIdMetadataUrl,
        ToBotFromEmulatorOpenIdMetadataUrl: fake.openIdMetadataUrl,
        OAuthUrl: "https://api.botframework.com",
        CallerId: "urn:botframework:azure",
      },
      new MsalServiceClientCredentialsFactory(fake.appId, asBotbuilderHasIt(msal)),
    ),
  );
  const server = createServer((request, response) => {
    const shim = {
      socket: response.socket,
      status: (code: number) => (response.statusCode = code),
      header: (name: string, value: unknown) => response.setHeader(name, String(value)),
      send: (body?: unknown) => response.write(typeof body === "string" ? body : JSON.stringify(body)),
      end: () => response.end(),
    };
    json(request)
      .then((body) =>
        adapter.process({ body: Object(body), headers: request.headers, method: request.method ?? "" }, shim, onTurn),
      )
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    adapter,
    msal,
    endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/messages`),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export function msalFor(fake: FakeTeams, credential: Credential): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    auth: {
      clientId: fake.appId,
      authority: `https://login.microsoftonline.com/${fake.tenantId}`,
      authorityMetadata: JSON.stringify({
        issuer: `https://login.microsoftonline.com/${fake.tenantId}/v2.0`,
        authorization_endpoint: `${fake.loginUrl}/{tenant}/oauth2/v2.0/authorize`,
        token_endpoint: `${fake.loginUrl}/{tenant}/oauth2/v2.0/token`,
        jwks_uri: `${fake.loginUrl}/{tenant}/discovery/v2.0/keys`,
      }),
      ...credential,
    },
  });
}

type BotbuildersClient = ConstructorParameters<typeof MsalServiceClientCredentialsFactory>[1];

/** MSAL has two sets of types, for `import` and for `require`, and TypeScript takes their classes for different ones. */
function asBotbuilderHasIt(client: unknown): BotbuildersClient {
  if (isClient(client)) return client;
  throw new TypeError("This is no MSAL client.");
}

function isClient(client: unknown): client is BotbuildersClient {
  return client instanceof ConfidentialClientApplication;
}
