import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { CloudAdapter, ConfigurationBotFrameworkAuthentication, type TurnContext } from "botbuilder";
import { AppCredentials, type AuthenticatorResult, ServiceClientCredentialsFactory } from "botframework-connector";
import type { FakeTeams } from "../teams-connector.ts";
import { restBot } from "./rest-bot.ts";

const TOKEN_LIFETIME_MS = 3_600_000;

/** A bot on the real botbuilder, with nothing of ours: what the fake is tried against. */
export interface BotbuilderBot {
  adapter: CloudAdapter;
  /** Its messaging endpoint. */
  endpoint: URL;
  close(): Promise<void>;
}

export async function startBotbuilderBot(
  fake: FakeTeams,
  onTurn: (context: TurnContext) => Promise<void>,
): Promise<BotbuilderBot> {
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
      new FakesCredentialsFactory(fake),
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
    endpoint: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/messages`),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** In place of botbuilder's own, which ask Microsoft. */
class FakesCredentialsFactory extends ServiceClientCredentialsFactory {
  readonly #fake: FakeTeams;

  constructor(fake: FakeTeams) {
    super();
    this.#fake = fake;
  }

  override async isValidAppId(appId: string): Promise<boolean> {
    return appId === this.#fake.appId;
  }

  override async isAuthenticationDisabled(): Promise<boolean> {
    return false;
  }

  override async createCredentials(_appId: string, audience: string): Promise<AppCredentials> {
    return new FakesCredentials(this.#fake, audience);
  }
}

class FakesCredentials extends AppCredentials {
  readonly #fake: FakeTeams;

  constructor(fake: FakeTeams, audience: string) {
    super(fake.appId, fake.tenantId, audience);
    this.#fake = fake;
  }

  protected override async refreshToken(): Promise<AuthenticatorResult> {
    const accessToken = await restBot(this.#fake).token("connector");
    return { accessToken, expiresOn: new Date(Date.now() + TOKEN_LIFETIME_MS) };
  }
}
