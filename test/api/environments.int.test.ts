import Anthropic from "@anthropic-ai/sdk";
import {
  BetaEnvironmentArchivedError,
  BetaInvalidConfigTypeChangeError,
  BetaInvalidMetadataError,
} from "@anthropic-ai/sdk/resources/beta/environments/environments";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEnvironmentStore } from "../../src/environments/environment-store.ts";
import { createEnvironments } from "../../src/environments/environments.ts";
import { createSession, startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

describe("environments", () => {
  it("are shown in their resolved form and read back the same", async () => {
    const created = await api.client.beta.environments.create({
      name: "office",
      config: { type: "cloud", networking: { type: "limited", allowed_hosts: ["example.com"] } },
    });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^env_01/),
      type: "environment",
      name: "office",
      description: null,
      metadata: {},
      archived_at: null,
      config: {
        type: "cloud",
        networking: {
          type: "limited",
          allowed_hosts: ["example.com"],
          allow_mcp_servers: false,
          allow_package_managers: false,
        },
        packages: { type: "packages", apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
      },
    });
    expect(await api.client.beta.environments.retrieve(created.id)).toEqual(created);
  });

  it("are unrestricted by default", async () => {
    const { config } = await api.client.beta.environments.create({ name: "office" });
    expect(config).toMatchObject({ type: "cloud", networking: { type: "unrestricted" } });
  });

  it("refuse what this server can't give", async () => {
    const create = (params: Partial<Anthropic.Beta.EnvironmentCreateParams>) =>
      api.client.beta.environments.create({ name: "x", ...params });
    await expect(create({ config: { type: "self_hosted" } })).rejects.toThrow(
      /config\.type: Only `cloud` is supported/,
    );
    await expect(create({ scope: "account" })).rejects.toThrow(/scope: /);
    await expect(create({ name: "" })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
  });

  it("are not there for another workspace", async () => {
    const { id } = await api.client.beta.environments.create({ name: "office" });
    await expect(api.stranger.beta.environments.retrieve(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect((await api.stranger.beta.environments.list()).data).toEqual([]);
    expect((await api.client.beta.environments.list()).data[0]?.id).toBe(id);
  });

  it("keep in an update what it does not name", async () => {
    const { id } = await api.client.beta.environments.create({
      name: "office",
      description: "old",
      metadata: { team: "a", cost: "1", gone: "x" },
      config: {
        type: "cloud",
        networking: { type: "limited", allowed_hosts: ["one.example"], allow_package_managers: true },
        packages: { apt: ["sox"], pip: ["pandas==2.2.0"] },
      },
    });
    const updated = await api.client.beta.environments.update(id, {
      description: null,
      metadata: { team: "b", cost: "", gone: null },
      config: {
        type: "cloud",
        networking: { type: "limited", allow_mcp_servers: true, allowed_hosts: null },
        packages: { apt: [], npm: ["@scope/tool@1.0.0"] },
      },
    });
    expect(updated).toMatchObject({
      name: "office",
      description: null,
      metadata: { team: "b" },
      config: {
        networking: {
          type: "limited",
          allowed_hosts: ["one.example"],
          allow_mcp_servers: true,
          allow_package_managers: true,
        },
        packages: { apt: [], cargo: [], gem: [], go: [], npm: ["@scope/tool@1.0.0"], pip: ["pandas==2.2.0"] },
      },
    });
    expect(Object.keys(updated.metadata)).toEqual(["team"]);
    expect(await api.client.beta.environments.update(id, { name: "studio" })).toMatchObject({
      ...updated,
      name: "studio",
      updated_at: expect.any(String),
    });
  });

  it("lose no change when two are made at once", async () => {
    const { id } = await api.client.beta.environments.create({ name: "office" });
    const keys = Array.from({ length: 8 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => api.client.beta.environments.update(id, { metadata: { [key]: "x" } })));
    expect(Object.keys((await api.client.beta.environments.retrieve(id)).metadata).toSorted()).toEqual(keys);
  });

  it("answer with the SDK's own errors", async () => {
    const { environments } = api.client.beta;
    const { id } = await environments.create({ name: "office", metadata: { a: "1" } });
    await expect(environments.update(id, { config: { type: "self_hosted" } })).rejects.toBeInstanceOf(
      BetaInvalidConfigTypeChangeError,
    );
    const many = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`k${index}`, "x"]));
    await expect(environments.update(id, { metadata: many })).rejects.toBeInstanceOf(BetaInvalidMetadataError);
    await expect(environments.create({ name: "x", metadata: { long: "x".repeat(513) } })).rejects.toThrow(
      /metadata\.long: .*invalid_metadata/,
    );
    await environments.archive(id);
    await expect(environments.update(id, { name: "y" })).rejects.toBeInstanceOf(BetaEnvironmentArchivedError);
  });

  it("can be archived twice, take no sessions then, and are listed on demand", async () => {
    const { environments } = api.client.beta;
    const { id } = await environments.create({ name: "office" });
    const archived = await environments.archive(id);
    expect(archived.archived_at).not.toBeNull();
    expect(await environments.archive(id)).toEqual(archived);
    await expect(createSession(api.client, { environment_id: id })).rejects.toThrow(/environment_archived/);
    expect((await environments.list()).data.map((each) => each.id)).not.toContain(id);
    expect((await environments.list({ include_archived: true })).data.map((each) => each.id)).toContain(id);
  });

  it("are deleted or used, when both are asked for at once, and never both", async () => {
    const agent = await api.client.beta.agents.create({ name: "Ada", model: "model-a" });
    for (let round = 0; round < 20; round++) {
      const { id } = await api.client.beta.environments.create({ name: "contended" });
      const [session, deletion] = await Promise.allSettled([
        api.client.beta.sessions.create({ agent: agent.id, environment_id: id }),
        api.client.beta.environments.delete(id),
      ]);
      expect([session.status, deletion.status].toSorted()).toEqual(["fulfilled", "rejected"]);
    }
  });

  it("are deleted once no session uses them but archived ones", async () => {
    const { environments, sessions } = api.client.beta;
    const { id } = await environments.create({ name: "office" });
    const session = await createSession(api.client, { environment_id: id });
    await expect(environments.delete(id)).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await sessions.archive(session.id);
    expect(await environments.delete(id)).toEqual({ id, type: "environment_deleted" });
    await expect(environments.retrieve(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(environments.delete(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it("can't be touched from another workspace", async () => {
    const { id } = await api.client.beta.environments.create({ name: "office" });
    const { environments } = api.stranger.beta;
    await expect(environments.update(id, { name: "mine" })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(environments.archive(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(environments.delete(id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect((await api.client.beta.environments.retrieve(id)).archived_at).toBeNull();
  });

  it("take packages under limited networking only with the package managers' hosts", async () => {
    const { environments } = api.client.beta;
    const networking = { type: "limited" as const, allowed_hosts: [] };
    const config = { type: "cloud" as const, networking, packages: { pip: ["x"] } };
    await expect(environments.create({ name: "x", config })).rejects.toThrow(
      /config\.networking\.allow_package_managers/,
    );
    const { id } = await environments.create({
      name: "x",
      config: { ...config, networking: { ...networking, allow_package_managers: true } },
    });
    await expect(
      environments.update(id, {
        config: { type: "cloud", networking: { type: "limited", allow_package_managers: false } },
      }),
    ).rejects.toThrow(/config\.networking\.allow_package_managers/);
  });

  it("say what machine they are only when asked for one, field by field", async () => {
    const { environments } = api.client.beta;
    const machine = { cpus: 0.5, memory_mb: 512, pids: 64, disk_mb: 100, runtime: "runsc", base_image: "base:3" };
    const withMachine = (deckhand: object | null) => ({ config: { type: "cloud" as const, deckhand } });
    const created = await environments.create({ name: "x", ...withMachine(machine) });
    expect(created.config).toMatchObject({ deckhand: machine });
    const updated = await environments.update(created.id, withMachine({ cpus: null, runtime: null, pids: 128 }));
    expect(updated.config).toHaveProperty("deckhand", {
      memory_mb: 512,
      pids: 128,
      disk_mb: 100,
      base_image: "base:3",
    });
    expect((await environments.update(created.id, withMachine(null))).config).not.toHaveProperty("deckhand");
    for (const [field, value] of Object.entries({
      cpus: 65,
      memory_mb: 127,
      pids: 31,
      disk_mb: 63,
      runtime: "--privileged",
      base_image: "807fbee21d1f",
      gpus: 1,
    })) {
      const attempt = environments.create({ name: "x", ...withMachine({ [field]: value }) });
      await expect(attempt).rejects.toThrow(`config.deckhand.${field}: `);
    }
  });

  it("tell of packages to be built, and of nothing else", async () => {
    const hinted: string[] = [];
    const environments = createEnvironments(createEnvironmentStore(api.prisma), {
      hintBuild: async ({ workspaceId, id }) => void hinted.push(`${workspaceId}/${id}`),
    });
    await environments.create(api.workspaceId, { name: "plain" });
    const { id } = await environments.create(api.workspaceId, {
      name: "x",
      config: { type: "cloud", packages: { apt: ["sox"] } },
    });
    await environments.update(api.workspaceId, id, { config: { type: "cloud", packages: { pip: ["x"] } } });
    expect(hinted).toEqual([`${api.workspaceId}/${id}`, `${api.workspaceId}/${id}`]);
  });
});
