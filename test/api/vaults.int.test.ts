import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSession, rawHeaders, startApi, type TestApi } from "../support/api.ts";

type Auth = Anthropic.Beta.Vaults.CredentialCreateParams["auth"];

let api: TestApi;
let vaultId: string;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  vaultId = (await api.client.beta.vaults.create({ display_name: "tests" })).id;
});

const MCP_URL = "https://mcp.example.com/sse";
const bearer = (more: object = {}) =>
  ({ type: "static_bearer", mcp_server_url: MCP_URL, token: "bearer-canary", ...more }) as Auth;
const variable = (more: object = {}) =>
  ({
    type: "environment_variable",
    secret_name: "API_TOKEN",
    secret_value: "variable-canary",
    networking: { type: "unrestricted" },
    ...more,
  }) as Auth;
const oauth = (more: object = {}) =>
  ({
    type: "mcp_oauth",
    mcp_server_url: "https://oauth.example.com/mcp",
    access_token: "access-canary",
    expires_at: "2100-01-01T02:00:00+02:00",
    refresh: {
      client_id: "client-1",
      refresh_token: "refresh-canary",
      token_endpoint: "https://oauth.example.com/token",
      token_endpoint_auth: { type: "client_secret_basic", client_secret: "client-canary" },
      scope: "read",
    },
    ...more,
  }) as Auth;

const add = (auth: Auth, more: object = {}) => api.client.beta.vaults.credentials.create(vaultId, { auth, ...more });
const update = (id: string, auth: object, more: object = {}) =>
  api.client.beta.vaults.credentials.update(id, {
    vault_id: vaultId,
    auth: auth as NonNullable<Anthropic.Beta.Vaults.CredentialUpdateParams["auth"]>,
    ...more,
  });
const stored = (id: string) => api.prisma.vaultCredential.findUniqueOrThrow({ where: { id } });

describe("vaults", () => {
  it("are shown as they were made, and patched", async () => {
    const vault = await api.client.beta.vaults.create({ display_name: "Ada's", metadata: { team: "a", tier: "1" } });
    expect(vault).toEqual({
      id: expect.stringMatching(/^vlt_01/),
      type: "vault",
      display_name: "Ada's",
      metadata: { team: "a", tier: "1" },
      created_at: expect.any(String),
      updated_at: expect.any(String),
      archived_at: null,
    });
    expect(await api.client.beta.vaults.retrieve(vault.id)).toEqual(vault);
    const metadata = { team: null, lead: "Bob" };
    expect(await api.client.beta.vaults.update(vault.id, { metadata })).toMatchObject({
      display_name: "Ada's",
      metadata: { tier: "1", lead: "Bob" },
    });
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`k${index}`, "v"]));
    await expect(api.client.beta.vaults.update(vault.id, { metadata: many })).rejects.toThrow(/metadata: at most 16/);
    await expect(api.client.beta.vaults.create({ display_name: "" })).rejects.toThrow(/display_name: /);
    await expect(api.client.beta.vaults.update(vault.id, { display_name: "x".repeat(256) })).rejects.toThrow(
      /display_name: /,
    );
  });

  it("are listed newest first in pages, and archived ones only when asked for", async () => {
    const ids: string[] = [vaultId];
    for (const name of ["a", "b", "c"]) ids.unshift((await api.client.beta.vaults.create({ display_name: name })).id);
    await api.client.beta.vaults.archive(ids[1] ?? "");
    const listed = async (include_archived: boolean) => {
      const found: string[] = [];
      for await (const { id } of api.client.beta.vaults.list({ limit: 2, include_archived })) found.push(id);
      return found.filter((id) => ids.includes(id));
    };
    expect(await listed(false)).toEqual(ids.toSpliced(1, 1));
    expect(await listed(true)).toEqual(ids);
  });

  it("that are archived lose every secret, and take nothing more", async () => {
    const { id } = await add(variable());
    const archived = await api.client.beta.vaults.archive(vaultId);
    expect(archived.archived_at).not.toBeNull();
    expect(await stored(id)).toMatchObject({ secret: null, archivedAt: expect.any(Date) });
    expect((await api.client.beta.vaults.credentials.retrieve(id, { vault_id: vaultId })).archived_at).not.toBeNull();
    await expect(add(bearer())).rejects.toThrow(/archived/);
    await expect(api.client.beta.vaults.update(vaultId, { display_name: "x" })).rejects.toThrow(/archived/);
    expect(await api.client.beta.vaults.archive(vaultId)).toEqual(archived);
  });

  it("that are deleted are gone with what they held", async () => {
    const { id } = await add(variable());
    expect(await api.client.beta.vaults.delete(vaultId)).toEqual({ id: vaultId, type: "vault_deleted" });
    expect(await api.prisma.vaultCredential.findUnique({ where: { id } })).toBeNull();
    await expect(api.client.beta.vaults.retrieve(vaultId)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(api.client.beta.vaults.delete(vaultId)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it("can be named by a session that is created only while they can be used", async () => {
    expect((await createSession(api.client, { vault_ids: [vaultId] })).vault_ids).toEqual([vaultId]);
    await expect(createSession(api.client, { vault_ids: [vaultId, "vlt_none"] })).rejects.toThrow(
      /404.*vault_ids\.1: .*vlt_none/,
    );
    await api.client.beta.vaults.archive(vaultId);
    await expect(createSession(api.client, { vault_ids: [vaultId] })).rejects.toThrow(/400.*vault_ids\.0: .*archived/);
  });

  it("and what they hold are not there for another workspace, whatever it does", async () => {
    const { id } = await add(variable());
    const { vaults } = api.stranger.beta;
    const inVault = { vault_id: vaultId };
    const attempts: (() => PromiseLike<unknown>)[] = [
      () => vaults.retrieve(vaultId),
      () => vaults.update(vaultId, { display_name: "mine" }),
      () => vaults.archive(vaultId),
      () => vaults.delete(vaultId),
      () => vaults.credentials.list(vaultId),
      () => vaults.credentials.create(vaultId, { auth: bearer() }),
      () => vaults.credentials.retrieve(id, inVault),
      () => vaults.credentials.update(id, { ...inVault, display_name: "mine" }),
      () =>
        vaults.credentials.update(id, {
          ...inVault,
          auth: { type: "environment_variable", secret_value: "x".repeat(9) },
        }),
      () => vaults.credentials.archive(id, inVault),
      () => vaults.credentials.delete(id, inVault),
      () => createSession(api.stranger, { vault_ids: [vaultId] }),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect((await vaults.list()).data).toEqual([]);
    expect(await stored(id)).toMatchObject({ archivedAt: null, displayName: null, version: 1 });
  });
});

describe("credentials", () => {
  it("show their settings and nothing that is secret, of every type", async () => {
    const created = await Promise.all([
      add(bearer(), { display_name: "Bot", metadata: { a: "1" } }),
      add(oauth()),
      add(
        variable({ networking: { type: "limited", allowed_hosts: ["API.example.com", "*.example.org", "192.0.2.1"] } }),
      ),
    ]);
    expect(created[0]).toEqual({
      id: expect.stringMatching(/^vcrd_01/),
      type: "vault_credential",
      vault_id: vaultId,
      display_name: "Bot",
      auth: { type: "static_bearer", mcp_server_url: MCP_URL },
      metadata: { a: "1" },
      created_at: expect.any(String),
      updated_at: expect.any(String),
      archived_at: null,
    });
    expect(created.map(({ auth }) => auth)).toEqual([
      { type: "static_bearer", mcp_server_url: MCP_URL },
      {
        type: "mcp_oauth",
        mcp_server_url: "https://oauth.example.com/mcp",
        expires_at: "2100-01-01T00:00:00.000Z",
        refresh: {
          client_id: "client-1",
          token_endpoint: "https://oauth.example.com/token",
          token_endpoint_auth: { type: "client_secret_basic" },
          scope: "read",
          resource: null,
        },
      },
      {
        type: "environment_variable",
        secret_name: "API_TOKEN",
        networking: { type: "limited", allowed_hosts: ["api.example.com", "*.example.org", "192.0.2.1"] },
        injection_location: { header: true, body: true },
      },
    ]);
    for (const credential of created) {
      expect(await api.client.beta.vaults.credentials.retrieve(credential.id, { vault_id: vaultId })).toEqual(
        credential,
      );
      expect(Buffer.from((await stored(credential.id)).secret ?? []).includes("canary")).toBe(false);
    }
    const listed = await api.client.beta.vaults.credentials.list(vaultId, { limit: 100 });
    expect(new Set(listed.data.map(({ id }) => id))).toEqual(new Set(created.map(({ id }) => id)));
  });

  it("are unique in what they are for among the active ones of a vault, and a conflict is not tried again", async () => {
    const first = await add(bearer());
    const response = await fetch(`${api.baseURL}/v1/vaults/${vaultId}/credentials`, {
      method: "POST",
      headers: { ...rawHeaders(api), "content-type": "application/json" },
      body: JSON.stringify({ auth: { ...oauth(), mcp_server_url: "https://MCP.example.com:443/sse" } }),
    });
    expect(response.status).toBe(409);
    expect(response.headers.get("x-should-retry")).toBe("false");
    expect(await response.json()).toMatchObject({
      error: { type: "conflict_error", message: expect.stringContaining("auth.mcp_server_url") },
    });

    const archived = await api.client.beta.vaults.credentials.archive(first.id, { vault_id: vaultId });
    expect(archived.archived_at).not.toBeNull();
    expect((await stored(first.id)).secret).toBeNull();
    await expect(update(first.id, { type: "static_bearer", token: "new" })).rejects.toThrow(/400.*archived/);
    expect((await add(bearer())).id).not.toBe(first.id);
    const inAnother = (await api.client.beta.vaults.create({ display_name: "other" })).id;
    await api.client.beta.vaults.credentials.create(inAnother, { auth: bearer() });
    const listed = async (include_archived: boolean) =>
      (await api.client.beta.vaults.credentials.list(vaultId, { include_archived })).data.length;
    expect([await listed(false), await listed(true)]).toEqual([1, 2]);
  });

  it("are at most 20 a vault, however many are created at once", async () => {
    const names = Array.from({ length: 24 }, (_, index) => `TOKEN_${index}`);
    const results = await Promise.allSettled(names.map((secret_name) => add(variable({ secret_name }))));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(20);
    const refused = results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
    for (const reason of refused) expect(reason).toMatch(/400.*at most 20 active credentials/);
  });

  it("take a patch: what is left out stays, and the secret of another field with it", async () => {
    const { id } = await add(oauth(), { display_name: "Old", metadata: { a: "1" } });
    const updated = await update(
      id,
      {
        type: "mcp_oauth",
        access_token: "access-canary-2",
        expires_at: null,
        refresh: { scope: "", token_endpoint_auth: { type: "client_secret_post", client_secret: "client-canary-2" } },
      },
      { metadata: { a: null, b: "2" } },
    );
    expect(updated).toMatchObject({
      display_name: "Old",
      metadata: { b: "2" },
      auth: { expires_at: null, refresh: { scope: null, token_endpoint_auth: { type: "client_secret_basic" } } },
    });
    expect((await update(id, { type: "mcp_oauth" }, { display_name: null })).display_name).toBeNull();
    const none = await add(
      oauth({
        mcp_server_url: "https://none.example.com",
        refresh: { ...refreshOf(oauth()), token_endpoint_auth: { type: "none" } },
      }),
    );
    const auth = { type: "client_secret_post", client_secret: "client-canary" };
    await expect(update(none.id, { type: "mcp_oauth", refresh: { token_endpoint_auth: auth } })).rejects.toThrow(
      /none/,
    );
    const without = await add(oauth({ mcp_server_url: "https://without.example.com", refresh: null }));
    await expect(update(without.id, { type: "mcp_oauth", refresh: { refresh_token: "r" } })).rejects.toThrow(
      /auth\.refresh/,
    );
  });

  it("merge where a secret goes, and never end up with nowhere", async () => {
    const locationOf = ({ auth }: Anthropic.Beta.Vaults.BetaManagedAgentsCredential) =>
      auth.type === "environment_variable" ? auth.injection_location : null;
    const change = (id: string, injection_location: object) =>
      update(id, { type: "environment_variable", injection_location });
    const { id } = await add(variable({ injection_location: { header: true } }));
    expect(locationOf(await change(id, { body: true }))).toEqual({ header: true, body: true });
    expect(locationOf(await change(id, { header: false }))).toEqual({ header: false, body: true });
    await expect(change(id, { body: false })).rejects.toThrow(/auth\.injection_location/);
    await expect(add(variable({ secret_name: "B", injection_location: {} }))).rejects.toThrow(/injection_location/);
  });

  it.each<[string, () => Auth, RegExp]>([
    [
      "a value too short to be found in answers",
      () => variable({ secret_value: "seven77" }),
      /secret_value: .*at least 8 .*answer/,
    ],
    ["a value with a newline", () => variable({ secret_value: "12345678\n" }), /secret_value: .*newline/],
    ["a value too long", () => variable({ secret_value: "x".repeat(8_193) }), /secret_value: /],
    [
      "a token too long",
      () => ({ type: "static_bearer", mcp_server_url: "https://mcp.example.com/", token: "x".repeat(8_193) }),
      /token: /,
    ],
    ["the name of no variable", () => variable({ secret_name: "API-TOKEN" }), /secret_name: /],
    ["the name with a digit first", () => variable({ secret_name: "1PASSWORD" }), /secret_name: /],
    ...["PATH", "HOME", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "LD_PRELOAD", "NODE_OPTIONS", "BASH_ENV"].map(
      (name): [string, () => Auth, RegExp] => [name, () => variable({ secret_name: name }), /secret_name: .*sandbox/],
    ),
    ...[
      ["https://api.example.com", "a URL"],
      ["api.example.com:443", "a port"],
      ["api.example.com/v1", "a path"],
      ["::1", "an IPv6 address"],
      ["[::1]", "an IPv6 address in brackets"],
      ["*", "a bare wildcard"],
      ["api.*.example.com", "a wildcard inside"],
      ["0x7f.1", "another spelling of an address"],
      ["1.2.3", "a short address"],
      ["*.1.2.3.4", "a wildcard of addresses"],
      ["example.com.", "a dot at the end"],
      ["bücher.example", "letters beyond ASCII"],
      ["", "nothing"],
    ].map(([host, what]): [string, () => Auth, RegExp] => [
      `${what} as a host`,
      () => variable({ networking: { type: "limited", allowed_hosts: ["ok.example.com", host] } }),
      /networking\.allowed_hosts\.1: /,
    ]),
    [
      "more than 16 hosts",
      () => variable({ networking: { type: "limited", allowed_hosts: Array(17).fill("a.example.com") } }),
      /allowed_hosts: /,
    ],
    [
      "an MCP server without TLS",
      () => bearer({ mcp_server_url: "http://mcp.example.com" }),
      /mcp_server_url: .*https/,
    ],
    [
      "an MCP server with a password",
      () => bearer({ mcp_server_url: "https://u:p@mcp.example.com" }),
      /mcp_server_url: /,
    ],
    ["a token with a newline", () => bearer({ token: "abc\r\nx: y" }), /token: /],
    ["a token that has expired", () => oauth({ expires_at: "2020-01-01T00:00:00Z" }), /expires_at: .*future/],
    [
      "a token endpoint without TLS",
      () => oauth({ refresh: { ...refreshOf(oauth()), token_endpoint: "http://oauth.example.com/token" } }),
      /refresh\.token_endpoint: /,
    ],
    ["a field that there is not", () => bearer({ tokn: "x" }), /auth\.tokn: Extra inputs/],
    ["a type that there is not", () => bearer({ type: "basic" }), /auth\.type: /],
  ])("refuse %s by the name of the field, and do not repeat what was given", async (_, auth, problem) => {
    const error: unknown = await add(auth()).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(String(error)).toMatch(problem);
    expect(String(error)).not.toMatch(/canary|seven77/);
  });

  it("take http on this machine, for whoever tries things out", async () => {
    for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
      const url = `http://${host}:8080/mcp`;
      expect((await add(bearer({ mcp_server_url: url }))).auth).toMatchObject({ mcp_server_url: url });
    }
  });

  it("keep their type and what they are for", async () => {
    const { id } = await add(variable());
    await expect(update(id, { type: "static_bearer", token: "new" })).rejects.toThrow(/auth\.type: .*can't be changed/);
    await expect(update(id, { type: "environment_variable", secret_name: "OTHER" })).rejects.toThrow(
      /auth\.secret_name: can't be changed/,
    );
    const server = await add(bearer());
    await expect(
      update(server.id, { type: "static_bearer", mcp_server_url: "https://other.example.com" }),
    ).rejects.toThrow(/auth\.mcp_server_url: can't be changed/);
  });

  it("are not found through another vault, and gone when they were deleted", async () => {
    const { id } = await add(variable());
    const other = (await api.client.beta.vaults.create({ display_name: "other" })).id;
    const { credentials } = api.client.beta.vaults;
    await expect(credentials.retrieve(id, { vault_id: other })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(credentials.delete(id, { vault_id: other })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect(await credentials.delete(id, { vault_id: vaultId })).toEqual({ id, type: "vault_credential_deleted" });
    await expect(credentials.retrieve(id, { vault_id: vaultId })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect((await credentials.list(vaultId, { include_archived: true })).data).toEqual([]);
  });
});

function refreshOf(auth: Auth): object {
  return (auth.type === "mcp_oauth" && auth.refresh) || {};
}
