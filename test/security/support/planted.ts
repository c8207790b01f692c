import type { RequestListener } from "node:http";
import type Anthropic from "@anthropic-ai/sdk";
import { namePrivateAddresses } from "../secrets-addresses.ts";
import type { Heard } from "./hosts.ts";
import { serveRegistries } from "./registries.ts";
import type { BoxedSession } from "./session-in-box.ts";
import { createWorld, OTHER_PORT, type World } from "./world.ts";

type AuthParams = Parameters<Anthropic["beta"]["vaults"]["credentials"]["create"]>[1]["auth"];
type VariableParams = Extract<AuthParams, { type: "environment_variable" }>;

/** Means something in JSON, HTML, URLs and shells. */
const FANCY = `"/+&<>'\\ %~;_`;
const MCP = "https://mcp.test";

/** The world with canaries as every kind of credential, and sessions that have them or may reach little. */
export interface Planted {
  world: World;
  /** Of all but the credential for every host. */
  vaultId: string;
  /** `API_KEY`. */
  credentialId: string;
  oauthId: string;
  /** With the vault, a private repository, and some hosts. */
  main: BoxedSession;
  /** With every public host, and a credential for all of them. */
  open: BoxedSession;
  /** With one host. */
  one: BoxedSession;
  /** The same, and package managers. */
  packages: BoxedSession;
  /** Like `main`; to be deleted. */
  leaving: BoxedSession;
  /** What `main` has for `API_KEY` and `HEADER_KEY`, and `leaving` for `API_KEY`. */
  placeholders: { own: string; ofHeaders: string; foreign: string };
}

export async function plant(): Promise<Planted> {
  const world = await createWorld();
  try {
    await addHosts(world);
    return await plantIn(world);
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function addHosts({ hosts }: World): Promise<void> {
  namePrivateAddresses(hosts.dns, await hosts.add("at-first.test", { answer: () => null }));
  await hosts.add("mcp.test", { answer: givesBack });
  await serveRegistries(hosts);
}

/** A server that says what it was sent, as some do when they refuse it. */
function givesBack({ headers, body }: Heard): RequestListener {
  const sent = `${headers.authorization} ${body} ${decodeURIComponent(body.replaceAll("+", " "))}`;
  return (_, response) => void response.writeHead(401, { "content-type": "text/plain" }).end(`bad: ${sent}`);
}

async function plantIn(world: World): Promise<Planted> {
  const { client, sessions, repositoryToken, credentialAddress } = world;
  const [vault, openVault] = await Promise.all(
    ["for some hosts", "for every host"].map((display_name) => client.beta.vaults.create({ display_name })),
  );
  const [vaultId, openVaultId] = [vault?.id ?? "", openVault?.id ?? ""];
  const { credentialId, oauthId } = await createCredentials(world, vaultId, openVaultId);

  const reachable = ["api.cred.test", `api.cred.test:${OTHER_PORT}`, credentialAddress, "other.test", "*.wild.test"];
  const some = { type: "limited" as const, allowed_hosts: reachable };
  const single = { type: "limited" as const, allowed_hosts: ["other.test"] };
  const repository = {
    type: "github_repository" as const,
    url: "https://git.test/acme/private",
    authorization_token: repositoryToken.current,
  };
  const [main, open, one, packages, leaving] = await Promise.all([
    sessions.open(some, { vault_ids: [vaultId], resources: [repository] }),
    sessions.open({ type: "unrestricted" }, { vault_ids: [openVaultId] }),
    sessions.open({ ...single, allow_package_managers: false }),
    sessions.open({ ...single, allow_package_managers: true }),
    sessions.open(some, { vault_ids: [vaultId] }),
  ]);
  const placeholders = {
    own: (await main.bash("printf %s $API_KEY")).trim(),
    ofHeaders: (await main.bash("printf %s $HEADER_KEY")).trim(),
    foreign: (await leaving.bash("printf %s $API_KEY")).trim(),
  };
  return { world, vaultId, credentialId, oauthId, main, open, one, packages, leaving, placeholders };
}

async function createCredentials({ client, canaries }: World, vaultId: string, openVaultId: string) {
  const create = async (auth: AuthParams, vault = vaultId) =>
    (await client.beta.vaults.credentials.create(vault, { auth })).id;
  const variable = (secret_name: string, secret_value: string, over: Partial<VariableParams> = {}): VariableParams => ({
    type: "environment_variable",
    secret_name,
    secret_value,
    networking: { type: "limited", allowed_hosts: ["api.cred.test"] },
    ...over,
  });
  const [inHeaders, inBody] = [
    { header: true, body: false },
    { header: false, body: true },
  ];
  const wild = { type: "limited" as const, allowed_hosts: ["*.wild.test"] };

  const credentialId = await create(variable("API_KEY", canaries.plant("variable")));
  await create(variable("FANCY_KEY", canaries.plant("fancy variable", FANCY)));
  await create(variable("HEADER_KEY", canaries.plant("header variable"), { injection_location: inHeaders }));
  await create(variable("BODY_KEY", canaries.plant("body variable"), { injection_location: inBody }));
  await create(variable("WILD_KEY", canaries.plant("wild variable"), { networking: wild }));
  const everywhere = { networking: { type: "unrestricted" as const } };
  await create(variable("OPEN_KEY", canaries.plant("open variable"), everywhere), openVaultId);
  await create({ type: "static_bearer", mcp_server_url: `${MCP}/a`, token: canaries.plant("static bearer") });
  const oauthId = await create({
    type: "mcp_oauth",
    mcp_server_url: `${MCP}/b`,
    access_token: canaries.plant("access token"),
    refresh: {
      client_id: "client",
      refresh_token: canaries.plant("refresh token", FANCY),
      token_endpoint: `${MCP}/token`,
      token_endpoint_auth: { type: "client_secret_post", client_secret: canaries.plant("client secret", FANCY) },
    },
  });
  return { credentialId, oauthId };
}
