import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../support/api.ts";

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
    await expect(create({ config: { type: "self_hosted" } })).rejects.toThrow(/config\.type: /);
    await expect(create({ config: { type: "cloud", packages: { pip: ["x"] } } })).rejects.toThrow(
      /config\.packages\.pip/,
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
});
