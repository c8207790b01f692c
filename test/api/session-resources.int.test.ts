import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSession, startApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const resources = () => api.client.beta.sessions.resources;
const upload = async () =>
  (await api.client.beta.files.upload({ file: await toFile(Buffer.from("a,b"), "data.csv") })).id;
const file = (file_id: string, mount_path?: string) => ({
  type: "file" as const,
  file_id,
  ...(mount_path && { mount_path }),
});

describe("session resources", () => {
  it("are the session's own copies, mounted under the uploads folder", async () => {
    const file_id = await upload();
    const session = await createSession(api.client, { resources: [file(file_id), file(file_id, "/in/data.csv")] });
    expect(session.resources).toEqual(
      [`/mnt/session/uploads/${file_id}`, "/mnt/session/uploads/in/data.csv"].map((mount_path) => ({
        id: expect.stringMatching(/^sesrsc_01/),
        type: "file",
        file_id: expect.stringMatching(/^file_01/),
        mount_path,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      })),
    );
    for (const resource of session.resources) {
      if (resource.type !== "file") throw new Error("not a file");
      expect(resource.file_id).not.toBe(file_id);
      expect(await api.client.beta.files.retrieveMetadata(resource.file_id)).toMatchObject({
        filename: "data.csv",
        size_bytes: 3,
        downloadable: false,
        scope: { type: "session", id: session.id },
      });
      expect(await resources().retrieve(resource.id, { session_id: session.id })).toEqual(resource);
    }
    expect((await resources().list(session.id)).data).toEqual(session.resources);
  });

  it("can be added to a session that runs", async () => {
    const { id } = await createSession(api.client);
    await api.prisma.session.update({ where: { id }, data: { status: "running" } });
    const added = await resources().add(id, file(await upload(), "late.csv"));
    expect(added.mount_path).toBe("/mnt/session/uploads/late.csv");
    expect((await api.client.beta.sessions.retrieve(id)).resources).toEqual([added]);
  });

  it("are paged in the order they were added", async () => {
    const { id } = await createSession(api.client);
    const file_id = await upload();
    const added = [];
    for (const name of ["a", "b", "c"]) added.push((await resources().add(id, file(file_id, name))).id);
    const seen = [];
    for await (const resource of resources().list(id, { limit: 2 })) seen.push("id" in resource ? resource.id : "");
    expect(seen).toEqual(added);
  });

  it.each([
    ["../etc/passwd", "mount_path: "],
    ["/a/../../b", "mount_path: "],
    ["folder/", "must name a file"],
    ["taken.csv", "is mounted already"],
    ["taken.csv/inside", "can't both be files"],
  ])("refuse to be mounted at %s", async (mountPath, message) => {
    const file_id = await upload();
    const { id } = await createSession(api.client, { resources: [file(file_id, "taken.csv")] });
    await expect(resources().add(id, file(file_id, mountPath))).rejects.toSatisfy(
      (error) => error instanceof Anthropic.BadRequestError && error.message.includes(message),
    );
    const both = [file(file_id, "taken.csv"), file(file_id, mountPath)];
    await expect(createSession(api.client, { resources: both })).rejects.toThrow(/400.*resources\.1\.mount_path: /);
  });

  it("refuse one path for two that are added at once", async () => {
    const { id } = await createSession(api.client);
    const file_id = await upload();
    const results = await Promise.allSettled([1, 2, 3].map(() => resources().add(id, file(file_id, "same.csv"))));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(Anthropic.BadRequestError);
    }
    expect((await resources().list(id)).data).toHaveLength(1);
  });

  it("are not there for an unknown file, resource or session, or another workspace", async () => {
    const { id } = await createSession(api.client);
    const { id: foreign } = await createSession(api.stranger);
    const file_id = await upload();
    for (const attempt of [
      () => resources().add(id, file("file_nope")),
      () => resources().add("sesn_nope", file(file_id)),
      () => resources().retrieve("sesrsc_nope", { session_id: id }),
      () => resources().add(foreign, file(file_id)),
      () => api.stranger.beta.sessions.resources.add(foreign, file(file_id)),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    }
  });

  it("refuse what is no file yet", async () => {
    const { id } = await createSession(api.client);
    // @ts-expect-error the SDK adds files only, too
    await expect(resources().add(id, { type: "github_repository", url: "https://github.com/o/r" })).rejects.toThrow(
      /400.*type: /,
    );
  });
});
