import type { RequestListener } from "node:http";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { attemptAddresses, namePrivateAddresses } from "./secrets-addresses.ts";
import { attemptEchoes } from "./secrets-echo.ts";
import { attemptFraming } from "./secrets-framing.ts";
import { attemptHunt, attemptMemory } from "./secrets-hunt.ts";
import { attemptSubstitution } from "./secrets-substitution.ts";
import { provokeErrors } from "./support/api-errors.ts";
import { attemptsIn } from "./support/attempt.ts";
import { attemptNow, sandboxAttempts } from "./support/sandbox-attempts.ts";
import { recordOfRequests, scanApi, scanDatabase, scanFiles, scanSandboxes, type Scanned } from "./support/scans.ts";
import type { Heard } from "./support/hosts.ts";
import type { BoxedSession } from "./support/session-in-box.ts";
import { attemptPackages, serveRegistries } from "./support/registries.ts";
import { slotAnswer, slotOf } from "./support/slot.ts";
import { createWorld, OTHER_PORT, REQUESTS_PER_MINUTE, type World } from "./support/world.ts";

const FANCY = `"/+&<>'\\ %~;_`;
const LIMITED = { type: "limited" as const };
const CREDENTIAL_HOST = { ...LIMITED, allowed_hosts: ["api.cred.test"] };

let world: World;
let vaultId: string;
let credentialId: string;
let main: BoxedSession;
let open: BoxedSession;
let one: BoxedSession;
let packages: BoxedSession;
let leaving: BoxedSession;
let own: string;
let ownOfHeaders: string;
let foreign: string;

beforeAll(async () => {
  world = await createWorld();
  const { client, sessions, hosts, canaries, credentialAddress } = world;
  namePrivateAddresses(hosts.dns, await hosts.add("at-first.test", { answer: () => null }));
  await serveRegistries(hosts);
  const vault = await client.beta.vaults.create({ display_name: "canaries" });
  vaultId = vault.id;
  credentialId = await variable("API_KEY", canaries.plant("variable"));
  await variable("FANCY_KEY", canaries.plant("fancy variable", FANCY));
  await variable("HEADER_KEY", canaries.plant("header variable"), {
    injection_location: { header: true, body: false },
  });
  await variable("BODY_KEY", canaries.plant("body variable"), { injection_location: { header: false, body: true } });
  await variable("WILD_KEY", canaries.plant("wild variable"), {
    networking: { ...LIMITED, allowed_hosts: ["*.wild.test"] },
  });
  const openVault = await client.beta.vaults.create({ display_name: "for every host" });
  await variable("OPEN_KEY", canaries.plant("open variable"), { networking: { type: "unrestricted" } }, openVault.id);

  const allowed_hosts = [
    ...["api.cred.test", `api.cred.test:${OTHER_PORT}`, credentialAddress],
    ...["other.test", "*.wild.test"],
  ];
  const none = { ...LIMITED, allowed_hosts: ["other.test"] };
  const token = world.repositoryToken.current;
  [main, open, one, packages, leaving] = await Promise.all([
    sessions.open(
      { type: "limited", allowed_hosts },
      {
        vault_ids: [vaultId],
        resources: [{ type: "github_repository", url: "https://git.test/acme/private", authorization_token: token }],
      },
    ),
    sessions.open({ type: "unrestricted" }, { vault_ids: [openVault.id] }),
    sessions.open({ ...none, allow_package_managers: false }),
    sessions.open({ ...none, allow_package_managers: true }),
    sessions.open({ type: "limited", allowed_hosts }, { vault_ids: [vaultId] }),
  ]);
  own = await placeholderIn(main, "API_KEY");
  ownOfHeaders = await placeholderIn(main, "HEADER_KEY");
  foreign = await placeholderIn(leaving, "API_KEY");
});
afterAll(() => world.close());

async function placeholderIn(session: BoxedSession, name: string): Promise<string> {
  return (await session.bash(`printf %s $${name}`)).trim();
}

async function variable(secret_name: string, secret_value: string, over: object = {}, vault = vaultId) {
  const auth = {
    type: "environment_variable" as const,
    secret_name,
    secret_value,
    networking: CREDENTIAL_HOST,
    ...over,
  };
  return (await world.client.beta.vaults.credentials.create(vault, { auth })).id;
}

describe("secrets in requests", () => {
  const attempt = sandboxAttempts(
    "substitution",
    () => world,
    () => main,
  );
  attemptSubstitution(attempt, { address: () => world.credentialAddress, foreign: () => foreign });
});

describe("secrets in answers", () => {
  attemptEchoes(
    sandboxAttempts(
      "echo",
      () => world,
      () => main,
    ),
  );
});

describe("names and framing", () => {
  attemptFraming(
    sandboxAttempts(
      "framing",
      () => world,
      () => main,
    ),
  );
});

describe("addresses", () => {
  const attempt = sandboxAttempts(
    "addresses",
    () => world,
    () => open,
  );
  attemptAddresses(attempt);
  attempt(
    "a credential for every host",
    "200; other.test got the secret in x-api-key",
    `curl(*key("OPEN_KEY"), f"https://other.test{a}/")`,
  );
  attempt(
    "a credential for every host, over plain http",
    "200; other.test (plain http) got the placeholder in x-api-key",
    `curl(*key("OPEN_KEY"), f"http://other.test{a}/")`,
  );
});

describe("networking that is limited to one host", () => {
  const attempt = sandboxAttempts(
    "limited",
    () => world,
    () => one,
  );
  attempt("curl to the host", "200; other.test got neither", `curl(f"https://other.test{a}/")`);
  attempt(
    "curl to the host over plain http",
    "200; other.test (plain http) got neither",
    `curl(f"http://other.test{a}/")`,
  );
  attempt("curl to another", "403 host_not_allowed; nothing arrived", `curl(f"https://denied.test{a}/")`);
  attempt(
    "the text of the refusal",
    "denied.test is not allowed: this environment's networking is limited, and the host is not among its allowed_hosts.",
    `json.loads(run("curl", "-s", f"http://denied.test{a}/"))["error"]["message"]`,
  );
  attemptsIn("limited")("what the model is told of a refusal", "host and rule", async () => {
    expect(await one.bash("curl -s https://denied.test/")).toContain(
      "refused: host denied.test is not in this environment's allowed_hosts",
    );
    return "host and rule";
  });
  attemptPackages(
    sandboxAttempts(
      "limited",
      () => world,
      () => one,
    ),
    "is refused",
    "refused",
  );
  attemptPackages(
    sandboxAttempts(
      "packages",
      () => world,
      () => packages,
    ),
    "with allow_package_managers",
    "installed",
  );
});

describe("looking around in the sandbox", () => {
  attemptHunt(
    sandboxAttempts(
      "hunt",
      () => world,
      () => main,
    ),
  );
  attemptMemory(
    sandboxAttempts(
      "hunt",
      () => world,
      () => main,
    ),
  );
});

describe("what changes while a session runs", () => {
  const attempt = attemptsIn("changes");
  const ask = (placeholder = own) =>
    attemptNow(`curl("-H", "x-api-key: ${placeholder}", f"https://api.cred.test{a}/echo/body")`, world, main);
  const credentials = () => world.client.beta.vaults.credentials;

  attempt("a gateway that is killed and started again", "the next request gets the secret", async () => {
    await world.roles.kill("gateway");
    await world.roles.start("gateway");
    return is(await ask(), "200; api.cred.test got the secret in x-api-key");
  });

  attempt("a secret that is replaced", "the next request gets the new one", async () => {
    const renewed = world.canaries.plant("renewed variable");
    const auth = { type: "environment_variable" as const, secret_value: renewed };
    await credentials().update(credentialId, { vault_id: vaultId, auth });
    const outcome = await ask();
    expect(world.hosts.heard.at(-1)?.headers["x-api-key"]).toBe(renewed);
    return is(outcome, "200; api.cred.test got the secret in x-api-key");
  });

  attempt("a repository's token that is replaced", "the next fetch gets the new one", async () => {
    world.repositoryToken.current = world.canaries.plant("rotated repository token");
    const fetch = () =>
      attemptNow(`str(subprocess.run(["git", "-C", "/workspace/private", "fetch"]).returncode)`, world, main);
    expect(await fetch()).toBe("128");
    const { data } = await world.client.beta.sessions.resources.list(main.id);
    const repository = data.find((one) => one.type === "github_repository");
    const authorization_token = world.repositoryToken.current;
    await world.client.beta.sessions.resources.update(repository?.id ?? "", {
      session_id: main.id,
      authorization_token,
    });
    return is(await fetch(), "0");
  });

  attempt("a credential that is archived", "the next request gets the placeholder", async () => {
    await credentials().archive(credentialId, { vault_id: vaultId });
    return is(await ask(), "200; api.cred.test got the placeholder in x-api-key");
  });

  attempt("a vault that is archived", "the next request gets the placeholder", async () => {
    expect(await ask(ownOfHeaders)).toBe("200; api.cred.test got the secret in x-api-key");
    await world.client.beta.vaults.archive(vaultId);
    return is(await ask(ownOfHeaders), "200; api.cred.test got the placeholder in x-api-key");
  });

  attempt("a session that is deleted", "its socket is good for nothing", async () => {
    const socket = await slotOf(world.home, leaving.id);
    expect(await slotAnswer(socket, "http://other.test/")).toBe("200");
    await world.client.beta.sessions.delete(leaving.id);
    const answer = await slotAnswer(socket, "http://other.test/");
    expect(["closed", "403 unknown_sandbox"]).toContain(answer);
    return answer;
  });

  attempt("more requests than a session may make", "429 that says so, and other sessions go on", async () => {
    const single = `request("http://other.test/flood", method="HEAD")`;
    const many = `${single}.replace("Connection: close\\r\\n", "") * 24 + ${single}`;
    const flood = `[*concurrent.futures.ThreadPoolExecutor(8).map(proxy, [${many}] * ${REQUESTS_PER_MINUTE / 15})]`;
    const outcome = await attemptNow(`(${flood}, proxy(request(f"http://other.test{a}/")))[1]`, world, one);
    expect(await attemptNow(`curl(f"https://other.test{a}/")`, world, open)).toContain("200");
    return is(outcome, "429 request_limit; nothing arrived");
  });
});

describe("what is left behind", () => {
  const attempt = attemptsIn("scan");
  const nothing = ({ looked, found }: Scanned, what: string) => {
    expect(found).toEqual([]);
    expect(looked).toBeGreaterThan(0);
    return `nothing in ${looked} ${what}`;
  };

  attempt("tokens for MCP servers, given back by the server", "stars", async () => {
    const { client, canaries, hosts } = world;
    const echoing = ({ headers, body }: Heard): RequestListener => {
      const sent = `${headers.authorization} ${body} ${decodeURIComponent(body.replaceAll("+", " "))}`;
      return (_, response) => void response.writeHead(401, { "content-type": "text/plain" }).end(`bad: ${sent}`);
    };
    await hosts.add("mcp.test", { answer: echoing });
    const vault = await client.beta.vaults.create({ display_name: "mcp" });
    const create = (auth: object) =>
      client.beta.vaults.credentials.create(vault.id, { auth } as Parameters<
        typeof client.beta.vaults.credentials.create
      >[1]);
    await create({
      type: "static_bearer",
      mcp_server_url: `https://mcp.test/a`,
      token: canaries.plant("static bearer"),
    });
    const oauth = await create({
      type: "mcp_oauth",
      mcp_server_url: `https://mcp.test/b`,
      access_token: canaries.plant("access token"),
      refresh: {
        client_id: "client",
        refresh_token: canaries.plant("refresh token", FANCY),
        token_endpoint: `https://mcp.test/token`,
        token_endpoint_auth: { type: "client_secret_post", client_secret: canaries.plant("client secret", FANCY) },
      },
    });
    const said = JSON.stringify(
      await client.beta.vaults.credentials.mcpOAuthValidate(oauth.id, { vault_id: vault.id }),
    );
    expect(said).toContain("****");
    expect(canaries.findIn(Buffer.from(said))).toEqual([]);
    return "stars";
  });

  attempt("errors of the API about secrets", "nothing", async () => {
    const said = await provokeErrors(world.client, { vaultId, sessionId: main.id, credentialId }, world.canaries);
    const found = said.filter((text) => world.canaries.findIn(Buffer.from(text)).length > 0);
    return nothing({ looked: said.length, found }, "errors");
  });

  attempt("events, sessions, vaults and all else of the API", "nothing", async () =>
    nothing(await scanApi(world.client, world.canaries), "objects"),
  );

  attempt("what the model was sent", "nothing", async () => {
    const sent = world.home.model.requests.map((request) => JSON.stringify(request));
    const found = sent.filter((text) => world.canaries.findIn(Buffer.from(text)).length > 0);
    return nothing({ looked: sent.length, found }, "requests");
  });

  attempt("the tables of the database", "nothing", async () =>
    nothing(await scanDatabase(await world.home.database.url(), world.canaries), "rows"),
  );

  attempt("the record of requests", "paths without queries", async () => {
    const rows = await recordOfRequests(await world.home.database.url());
    expect(rows.filter(({ path }) => path?.includes("?"))).toEqual([]);
    expect([...new Set(rows.map(({ decision }) => decision))].sort()).toEqual(["allow", "deny"]);
    expect(rows.some(({ credential_ids }) => credential_ids.includes(credentialId))).toBe(true);
    return `${rows.length} rows without a query`;
  });

  attempt("what processes printed at the level trace", "nothing", async () => {
    const printed = [...(await world.roles.printed())];
    const found = printed.flatMap(([role, bytes]) => world.canaries.findIn(bytes).map((kind) => `${role}: ${kind}`));
    for (const [role, bytes] of printed) expect(bytes.length, role).toBeGreaterThan(0);
    return nothing({ looked: printed.reduce((sum, [, bytes]) => sum + bytes.length, 0), found }, "bytes");
  });

  attempt("every sandbox, from outside", "nothing", async () =>
    nothing(await scanSandboxes(world.home.home, world.canaries.mark), "containers"),
  );

  attempt("the files of the home, the database's own too", "nothing", async () =>
    nothing(await scanFiles(world.home.home, world.canaries), "files"),
  );

  attempt("temporary files of the processes", "nothing", async () => {
    const { looked, found } = await scanFiles(world.home.temp, world.canaries);
    return nothing({ looked: looked + 1, found }, "files");
  });
});

function is(outcome: string, expected: string): string {
  expect(outcome).toBe(expected);
  return outcome;
}
