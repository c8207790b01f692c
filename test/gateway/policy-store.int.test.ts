import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPolicySource } from "../../src/gateway/policy-store.ts";
import type { PolicySource, SandboxPolicy } from "../../src/gateway/sandbox-policy.ts";
import { createSandboxStore } from "../../src/sandbox/sandbox-store.ts";
import { createSessionVariables } from "../../src/vaults/session-variables-store.ts";
import { createPlaceholders } from "../../src/vaults/placeholder.ts";
import { createVaultCipher } from "../../src/vaults/vault-cipher.ts";
import { newMasterKey } from "../../src/secrets/master-key.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { createSession, startApi, type TestApi } from "../support/api.ts";

const placeholders = createPlaceholders(new Secret(newMasterKey()));

let api: TestApi;
let source: PolicySource;
beforeAll(async () => {
  api = await startApi();
  source = createPolicySource(api.pool, {
    cipher: api.cipher,
    placeholders: [placeholders],
    variables: createSessionVariables(api.pool, createVaultCipher(api.cipher)),
  });
});
afterAll(() => api.stop());

/** A session with a sandbox, as a harness leaves it. */
async function sandboxOf(
  params: Parameters<typeof createSession>[1] = {},
  client = api.client,
  workspaceId = api.workspaceId,
) {
  const session = await createSession(client, params);
  const gatewayId = randomBytes(8).toString("hex");
  await createSandboxStore(api.pool).save(
    { sessionId: session.id, workspaceId },
    { ref: gatewayId, image: "image", mounted: [], gatewayId },
  );
  return { session, gatewayId };
}

async function policyOf(gatewayId: string): Promise<SandboxPolicy> {
  const policy = await source.find(gatewayId);
  if (!policy) throw new Error("nothing may pass");
  return policy;
}

async function vaultWith(name: string, value: string) {
  const vault = await api.client.beta.vaults.create({ display_name: "Ada's" });
  const credential = await api.client.beta.vaults.credentials.create(vault.id, {
    auth: {
      type: "environment_variable",
      secret_name: name,
      secret_value: value,
      networking: { type: "limited", allowed_hosts: ["api.example.com"] },
      injection_location: { header: true },
    },
  });
  return { vaultId: vault.id, credentialId: credential.id };
}

describe("the policy of a sandbox's socket", () => {
  it("is its environment's networking, as it is at this moment", async () => {
    const { session, gatewayId } = await sandboxOf();
    expect(await source.find(gatewayId)).toEqual({
      workspaceId: api.workspaceId,
      sessionId: session.id,
      networking: { type: "unrestricted" },
      variables: [],
      repositories: [],
    });
    await api.client.beta.environments.update(session.environment_id, {
      config: {
        type: "cloud",
        networking: { type: "limited", allowed_hosts: ["*.example.com"], allow_package_managers: true },
      },
    });
    expect((await policyOf(gatewayId)).networking).toEqual({
      type: "limited",
      allowedHosts: ["*.example.com"],
      packageManagers: true,
    });
    await api.prisma.environment.delete({ where: { id: session.environment_id } });
    expect((await policyOf(gatewayId)).networking).toEqual({
      type: "limited",
      allowedHosts: [],
      packageManagers: false,
    });
  });

  it("is nothing for a socket nobody has, an archived session and a deleted one", async () => {
    expect(await source.find("0123456789abcdef")).toBeNull();
    const archived = await sandboxOf();
    const deleted = await sandboxOf();
    expect([await source.find(archived.gatewayId), await source.find(deleted.gatewayId)]).not.toContain(null);
    await api.client.beta.sessions.archive(archived.session.id);
    await api.client.beta.sessions.delete(deleted.session.id);
    expect([await source.find(archived.gatewayId), await source.find(deleted.gatewayId)]).toEqual([null, null]);
  });

  it("has the values of the session's variables, until one is archived or the vaults are others", async () => {
    const first = await vaultWith("API_KEY", "canary-value-1");
    const second = await vaultWith("OTHER_KEY", "canary-value-2");
    const { session, gatewayId } = await sandboxOf({ vault_ids: [first.vaultId, second.vaultId] });
    const { variables } = await policyOf(gatewayId);
    expect(variables.map(({ secret }) => secret.reveal()).toSorted()).toEqual(["canary-value-1", "canary-value-2"]);
    expect(variables.find(({ credentialId }) => credentialId === first.credentialId)).toEqual({
      credentialId: first.credentialId,
      placeholder: placeholders(session.id, first.credentialId),
      secret: expect.any(Secret),
      hosts: ["api.example.com"],
      inHeaders: true,
      inBody: false,
    });
    await api.client.beta.vaults.credentials.archive(first.credentialId, { vault_id: first.vaultId });
    expect((await policyOf(gatewayId)).variables.map(({ credentialId }) => credentialId)).toEqual([
      second.credentialId,
    ]);
    await api.client.beta.sessions.update(session.id, { vault_ids: [first.vaultId] });
    expect((await policyOf(gatewayId)).variables).toEqual([]);
  });

  it("has the placeholders of an earlier master key too, which sandboxes still have", async () => {
    const { vaultId, credentialId } = await vaultWith("API_KEY", "canary-value-4");
    const { session, gatewayId } = await sandboxOf({ vault_ids: [vaultId] });
    const makers = [createPlaceholders(new Secret(newMasterKey())), placeholders];
    const rotated = createPolicySource(api.pool, {
      cipher: api.cipher,
      placeholders: makers,
      variables: createSessionVariables(api.pool, createVaultCipher(api.cipher)),
    });
    const variables = (await rotated.find(gatewayId))?.variables ?? [];
    expect(variables.map(({ placeholder }) => placeholder)).toEqual(makers.map((of) => of(session.id, credentialId)));
    expect(variables.map(({ secret }) => secret.reveal())).toEqual(["canary-value-4", "canary-value-4"]);
  });

  it("has the session's repositories, each with the token that was given last", async () => {
    const { session, gatewayId } = await sandboxOf({
      resources: [
        {
          type: "github_repository",
          url: "https://GitHub.com/Acme/site.git",
          authorization_token: `ghp_first${"0".repeat(80)}`,
        },
        { type: "github_repository", url: "https://git.example.com:8443/a/b/open" },
      ],
    });
    const [site, open] = (await policyOf(gatewayId)).repositories;
    expect(site).toMatchObject({ host: "github.com", port: 443, path: "/Acme/site" });
    expect(site?.token?.reveal()).toBe(`ghp_first${"0".repeat(80)}`);
    expect(open).toMatchObject({ host: "git.example.com", port: 8443, path: "/a/b/open", token: null });
    const authorization_token = "ghp_second0000";
    await api.client.beta.sessions.resources.update(site?.resourceId ?? "", {
      session_id: session.id,
      authorization_token,
    });
    expect((await policyOf(gatewayId)).repositories[0]?.token?.reveal()).toBe(authorization_token);
  });

  it("never mixes what belongs to different workspaces, whatever stands in the rows", async () => {
    const mine = await vaultWith("API_KEY", "canary-value-3");
    const { session, gatewayId } = await sandboxOf({}, api.stranger, "wrkspc_other");
    await api.prisma.session.update({ where: { id: session.id }, data: { vaultIds: [mine.vaultId] } });
    expect(await policyOf(gatewayId)).toMatchObject({ workspaceId: "wrkspc_other", variables: [] });
    await api.prisma.environment.update({
      where: { id: session.environment_id },
      data: { workspaceId: api.workspaceId },
    });
    expect((await policyOf(gatewayId)).networking).toMatchObject({ type: "limited", allowedHosts: [] });
    await api.prisma.sandbox.update({ where: { gatewayId }, data: { workspaceId: api.workspaceId } });
    expect(await source.find(gatewayId)).toBeNull();
  });

  it("is a build's own while it is built, and no longer", async () => {
    const gatewayId = randomBytes(8).toString("hex");
    const networking = { type: "limited" as const, allowedHosts: ["mirror.example.com"], packageManagers: true };
    await api.prisma.environmentImage.create({
      data: { hash: "hash", workspaceId: api.workspaceId, status: "building", gatewayId, networking },
    });
    expect(await source.find(gatewayId)).toEqual({
      workspaceId: api.workspaceId,
      sessionId: null,
      networking,
      variables: [],
      repositories: [],
    });
    await api.prisma.environmentImage.update({ where: { hash: "hash" }, data: { status: "ready" } });
    expect(await source.find(gatewayId)).toBeNull();
  });
});
