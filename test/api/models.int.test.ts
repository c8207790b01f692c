import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const idsOf = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);

describe("models", () => {
  it("are listed newest first, on both of the SDK's paths", async () => {
    const listed = await api.client.models.list();
    expect(idsOf(listed)).toEqual(["model-c", "model-b", "model-a"]);
    expect(listed).toMatchObject({ has_more: false, first_id: "model-c", last_id: "model-a" });
    expect(idsOf(await api.client.beta.models.list())).toEqual(idsOf(listed));
  });

  it("are paged by id, both ways", async () => {
    const seen = [];
    for await (const { id } of api.client.models.list({ limit: 2 })) seen.push(id);
    expect(seen).toEqual(["model-c", "model-b", "model-a"]);
    const back = await api.client.models.list({ before_id: "model-a", limit: 1 });
    expect(idsOf(back)).toEqual(["model-b"]);
    expect(back.has_more).toBe(true);
    await expect(api.client.models.list({ after_id: "model-z" })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it("are none that were retired", async () => {
    expect(idsOf(await api.client.models.list({ lifecycle: ["retired"] }))).toEqual([]);
    expect(idsOf(await api.client.models.list({ lifecycle: ["active", "retired"] }))).toHaveLength(3);
  });

  it("are found by id", async () => {
    expect(await api.client.models.retrieve("model-b")).toMatchObject({
      id: "model-b",
      type: "model",
      display_name: "MODEL-B",
      lifecycle: "active",
      max_input_tokens: 200_000,
      max_tokens: 32_000,
    });
    await expect(api.client.models.retrieve("model-z")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });
});
