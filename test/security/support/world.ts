import { mkdir, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import path from "node:path";
import Anthropic from "@anthropic-ai/sdk";
import { createTestHome, type TestHome } from "../../e2e/support/test-home.ts";
import { createTestAuthority } from "../../support/test-authority.ts";
import { type Canaries, createCanaries } from "./canaries.ts";
import { echo } from "./echo.ts";
import { createRepository, serveRepositories } from "./git-host.ts";
import { type Heard, type Hosts, startHosts } from "./hosts.ts";
import { type Roles, startRoles } from "./roles.ts";
import { type BoxedSessions, createBoxedSessions } from "./session-in-box.ts";

/** No session but the one that floods comes near it. */
export const REQUESTS_PER_MINUTE = 600;
/** Each is read whole in the end. */
const DISK_MB = 256;
/** One that no host pattern means that names no port. */
export const OTHER_PORT = 8443;

/** The whole product with canaries for secrets, and the internet it sees. */
export interface World {
  canaries: Canaries;
  home: TestHome;
  roles: Roles;
  hosts: Hosts;
  client: Anthropic;
  sessions: BoxedSessions;
  /** Of the host that credentials are for. */
  credentialAddress: string;
  repositoryToken: { current: string };
  close(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const canaries = createCanaries();
  const authority = createTestAuthority();
  const hosts = await startHosts(authority);
  const modelKey = canaries.plant("model key");
  const apiKey = canaries.plant("api key");
  const home = await createTestHome({ ANTHROPIC_API_KEY: modelKey });
  home.teardown.add(() => hosts.close());
  try {
    const repositories = path.join(home.dir, "repositories");
    await mkdir(repositories);
    await createRepository(repositories);
    const repositoryToken = { current: canaries.plant("repository token") };
    const credentialAddress = await hosts.add("api.cred.test", { alsoPort: OTHER_PORT, answer: echo });
    for (const name of ["other.test", "denied.test", "sub.wild.test"]) await hosts.add(name, { answer: redirect });
    await hosts.add("git.test", { answer: serveRepositories(repositories, () => repositoryToken.current) });

    const trusted = path.join(home.dir, "upstreams.pem");
    await writeFile(trusted, authority.certificatePem);
    const roles = await startRoles(home, {
      ...serverSecrets(canaries),
      DECKHAND_API_KEY: apiKey,
      LOG_LEVEL: "trace",
      DECKHAND_SANDBOX_DISK_MB: String(DISK_MB),
      // Those that sleep could not be looked at from outside.
      DECKHAND_SANDBOX_PAUSE_AFTER_S: "3600",
      DECKHAND_SANDBOX_STOP_AFTER_S: "7200",
      NODE_EXTRA_CA_CERTS: trusted,
      DECKHAND_GATEWAY_ADDRESSES: hosts.network,
      DECKHAND_GATEWAY_DNS: hosts.dns.address,
      DECKHAND_GATEWAY_REQUESTS_PER_MINUTE: String(REQUESTS_PER_MINUTE),
    });
    const client = new Anthropic({ baseURL: roles.url, apiKey, maxRetries: 0 });
    const sessions = await createBoxedSessions(client, home.model, canaries.mark);
    return { canaries, home, roles, hosts, client, sessions, credentialAddress, repositoryToken, close: home.close };
  } catch (error) {
    await home.teardown.run();
    throw error;
  }
}

/** Leads from an allowed host to where nobody may go. */
function redirect({ target }: Heard): RequestListener | null {
  const to = /\/redirect\?to=(.*)$/.exec(target)?.[1];
  return to === undefined ? null : (_, response) => void response.writeHead(302, { location: to }).end();
}

/** What an operator's environment holds. Nobody is there whom the bots could give theirs to. */
function serverSecrets(canaries: Canaries): Record<string, string> {
  const nobody = "http://127.0.0.1:9/";
  return {
    DECKHAND_MASTER_KEY: canaries.plantKey(),
    DECKHAND_LINK_KEY: canaries.plant("link key").padEnd(48, "0"),
    SLACK_API_URL: nobody,
    SLACK_BOT_TOKEN: `xoxb-${canaries.plant("slack token")}`,
    SLACK_APP_TOKEN: `xapp-${canaries.plant("slack app token")}`,
    MICROSOFT_APP_ID: "11111111-1111-4111-8111-111111111111",
    MICROSOFT_APP_TENANT_ID: "22222222-2222-4222-8222-222222222222",
    MICROSOFT_APP_PASSWORD: canaries.plant("teams password"),
    TEAMS_PORT: "0",
    TEAMS_LOGIN_URL: nobody,
    TEAMS_OPENID_METADATA_URL: nobody,
  };
}
