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
    ["taken.csv/inside", "can't both be mounted"],
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

  it("that are files can be taken out of a session that runs, with the session's copy", async () => {
    const file_id = await upload();
    const { id, resources: before } = await createSession(api.client, {
      resources: [file(file_id), file(file_id, "b")],
    });
    await api.prisma.session.update({ where: { id }, data: { status: "running" } });
    const [first, second] = before;
    if (first?.type !== "file") throw new Error("not a file");
    expect(await resources().delete(first.id, { session_id: id })).toEqual({
      id: first.id,
      type: "session_resource_deleted",
    });
    expect((await resources().list(id)).data).toEqual([second]);
    await expect(api.client.beta.files.retrieveMetadata(first.file_id)).rejects.toThrow(Anthropic.NotFoundError);
    expect(await api.client.beta.files.retrieveMetadata(file_id)).toMatchObject({ size_bytes: 3 });
    await expect(resources().delete(first.id, { session_id: id })).rejects.toThrow(Anthropic.NotFoundError);
    await api.prisma.session.update({ where: { id }, data: { status: "terminated" } });
    await expect(resources().delete(second?.type === "file" ? second.id : "", { session_id: id })).rejects.toThrow(
      /400.*terminated/,
    );
  });
});

describe("a repository among a session's resources", () => {
  const TOKEN = "ghp_canary0123456789";
  const repository = (more: object = {}) => ({
    type: "github_repository" as const,
    url: "https://github.com/acme/site.git",
    authorization_token: TOKEN,
    ...more,
  });
  const rowOf = async (sessionId: string) => {
    const [row] = await api.prisma.sessionResource.findMany({ where: { sessionId } });
    if (!row?.token) throw new Error("no token is stored");
    return { ...row, token: row.token };
  };

  it("is cloned to /workspace under its name unless another folder is named, and its token is never shown", async () => {
    const checkout = { type: "branch" as const, name: "release/1.0" };
    const session = await createSession(api.client, {
      resources: [
        repository(),
        repository({ url: "https://git.example.com:8443/group/sub/tool", mount_path: "src/tool", checkout }),
      ],
    });
    const times = { created_at: expect.any(String), updated_at: expect.any(String) };
    const id = expect.stringMatching(/^sesrsc_01/);
    const [first, second] = session.resources;
    expect(first).toEqual({
      id,
      type: "github_repository",
      url: "https://github.com/acme/site.git",
      mount_path: "/workspace/site",
      checkout: null,
      ...times,
    });
    expect(second).toEqual({
      id,
      type: "github_repository",
      url: "https://git.example.com:8443/group/sub/tool",
      mount_path: "/workspace/src/tool",
      checkout,
      ...times,
    });
    const { token } = await rowOf(session.id);
    expect(Buffer.from(token).includes(TOKEN)).toBe(false);
    const answers = [await api.client.beta.sessions.retrieve(session.id), (await resources().list(session.id)).data];
    expect(JSON.stringify([session, ...answers])).not.toContain(TOKEN);
  });

  it("takes another token at any time, which only its own row can be read with", async () => {
    const { id, resources: listed } = await createSession(api.client, { resources: [repository()] });
    await api.prisma.session.update({ where: { id }, data: { status: "running" } });
    const [before] = listed;
    if (before?.type !== "github_repository") throw new Error("not a repository");
    const updated = await resources().update(before.id, {
      session_id: id,
      authorization_token: "ghp_rotated9876543210",
    });
    expect(updated).toEqual({ ...before, updated_at: expect.any(String) });
    const { token } = await rowOf(id);
    const clear = await api.cipher.decrypt(token, `session_resources/${before.id}/token`);
    expect(Buffer.from(clear).toString()).toBe("ghp_rotated9876543210");
    await expect(api.cipher.decrypt(token, "session_resources/sesrsc_other/token")).rejects.toThrow();
    const foreign = api.stranger.beta.sessions.resources.update(before.id, {
      session_id: id,
      authorization_token: TOKEN,
    });
    await expect(foreign).rejects.toThrow(Anthropic.NotFoundError);
  });

  it("stays in its session, can't be added to one, and a file has no token", async () => {
    const file_id = await upload();
    const { id, resources: listed } = await createSession(api.client, { resources: [repository(), file(file_id)] });
    const [cloned, mounted] = listed;
    if (cloned?.type !== "github_repository" || mounted?.type !== "file") throw new Error("not what was asked for");
    await expect(resources().delete(cloned.id, { session_id: id })).rejects.toThrow(/400.*repository stays/);
    const token = { session_id: id, authorization_token: TOKEN };
    await expect(resources().update(mounted.id, token)).rejects.toThrow(/400.*only repositories/);
    // @ts-expect-error the SDK adds files only, too
    await expect(resources().add(id, repository())).rejects.toThrow(/400.*type: /);
    expect((await resources().list(id)).data).toEqual(listed);
  });

  it.each<[string, object, RegExp]>([
    ["a URL with credentials", { url: `https://me:${TOKEN}@github.com/o/r` }, /0\.url: .*`authorization_token`/],
    ["a URL without TLS", { url: "http://github.com/o/r" }, /0\.url: .*https/],
    ["a URL of no repository", { url: "https://github.com/o" }, /0\.url: /],
    ["a folder that nobody may write to", { mount_path: "/etc/site" }, /0\.mount_path: .*`\/workspace`/],
    ["a folder above its own", { mount_path: "/workspace/../etc" }, /0\.mount_path: /],
    ["a branch that is an option", { checkout: { type: "branch", name: "--upload-pack=x" } }, /0\.checkout\.name: /],
    ["a commit by half its name", { checkout: { type: "commit", sha: "abc123" } }, /0\.checkout\.sha: /],
    ["a token that could be any word", { authorization_token: "secret" }, /0\.authorization_token: /],
  ])("is refused with %s, by the field's name and without the token", async (_name, more, message) => {
    const refused = createSession(api.client, { resources: [repository(more)] });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(TOKEN);
  });

  it("is refused where another one is, or when it is there already", async () => {
    const other = repository({ url: "https://github.com/acme/other", mount_path: "site/inside" });
    await expect(createSession(api.client, { resources: [repository(), other] })).rejects.toThrow(
      /400.*resources\.1\.mount_path: .*can't both be mounted/,
    );
    const again = repository({ url: "https://GitHub.com/Acme/site", mount_path: "again" });
    await expect(createSession(api.client, { resources: [repository(), again] })).rejects.toThrow(
      /400.*resources\.1\.url: /,
    );
  });
});
