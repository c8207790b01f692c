import { createHash, randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { Readable } from "node:stream";
import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createSession, errorOf, rawHeaders, startApi, type TestApi } from "../support/api.ts";

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ fileBytesMax: FILE_BYTES_MAX });
});
afterAll(() => api.stop());

const files = () => api.client.beta.files;
const upload = async (content: Buffer | string, name: string, options: { expires_in_seconds?: number } = {}) =>
  files().upload({ file: await toFile(Buffer.from(content), name), ...options });
const post = (body: FormData | string, headers: Record<string, string> = {}) =>
  fetch(`${api.baseURL}/v1/files`, { method: "POST", headers: { ...rawHeaders(api), ...headers }, body });
const output = (
  sessionId: string,
  content: Buffer | AsyncIterable<Uint8Array>,
  options: { path?: string; preview?: Buffer; mtimeNs?: string } = {},
) =>
  api.files.saveOutput({
    workspaceId: api.workspaceId,
    sessionId,
    path: "report.xlsx",
    mtimeNs: "1",
    content: Buffer.isBuffer(content) ? Readable.from([content]) : content,
    preview: null,
    ...options,
  });
const blobCount = async () =>
  (await readdir(api.blobDirectory, { recursive: true })).filter((name) => name.includes("-")).length;

describe("uploading", () => {
  it("keeps the bytes and says what they are", async () => {
    const content = randomBytes(1_000_000);
    const file = await upload(content, "data.csv");
    expect(file).toEqual({
      id: expect.stringMatching(/^file_01/),
      type: "file",
      filename: "data.csv",
      mime_type: "text/csv",
      size_bytes: content.length,
      created_at: expect.any(String),
      downloadable: false,
      expires_at: null,
      scope: null,
    });
    expect(await files().retrieveMetadata(file.id)).toEqual(file);
    expect(await api.client.files.retrieveMetadata(file.id)).toEqual(file);
    const { content: stored } = await api.files.open(api.workspaceId, file.id);
    expect(await digestOf(stored)).toBe(createHash("sha256").update(content).digest("hex"));
  });

  it("keeps the last component of the name only", async () => {
    expect((await upload("x", "../../etc/passwd")).filename).toBe("passwd");
    expect((await upload("x", "C:\\temp\\a.txt")).filename).toBe("a.txt");
    expect((await upload("x", "日本 (1).csv")).filename).toBe("日本 (1).csv");
  });

  it("takes an empty file", async () => {
    expect((await upload("", "empty.txt")).size_bytes).toBe(0);
  });

  it("takes the fields in any order", async () => {
    for (const first of ["file", "expires_in_seconds"]) {
      const form = new FormData();
      if (first === "file") form.append("file", new Blob(["x"]), "a.txt");
      form.append("expires_in_seconds", "3600");
      if (first !== "file") form.append("file", new Blob(["x"]), "a.txt");
      const { expires_at } = await files().retrieveMetadata(String(Object(await (await post(form)).json()).id));
      const left = Date.parse(expires_at ?? "") - Date.now();
      expect(left).toBeGreaterThan(3_500_000);
      expect(left).toBeLessThanOrEqual(3_600_000);
    }
  });

  it("refuses a file that is too large, and keeps nothing of it", async () => {
    const before = await blobCount();
    await expect(upload(Buffer.alloc(FILE_BYTES_MAX + 1), "big.bin")).rejects.toMatchObject({ status: 413 });
    expect((await upload(Buffer.alloc(FILE_BYTES_MAX), "fits.bin")).size_bytes).toBe(FILE_BYTES_MAX);
    expect(await blobCount()).toBe(before + 1);
  });

  it("keeps nothing of an upload whose sender goes away", async () => {
    const before = await blobCount();
    const unfinished = () => readdir(path.join(api.blobDirectory, "unfinished"));
    const request = http.request(`${api.baseURL}/v1/files`, {
      method: "POST",
      headers: { ...rawHeaders(api), "content-type": "multipart/form-data; boundary=x" },
    });
    request.on("error", () => undefined);
    request.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n');
    request.write(randomBytes(100_000));
    await vi.waitFor(async () => expect(await unfinished()).toHaveLength(1));
    request.destroy();
    await vi.waitFor(async () => expect(await unfinished()).toEqual([]));
    expect(await blobCount()).toBe(before);
  });

  it("refuses a bad form, and keeps nothing of it", async () => {
    const before = await blobCount();
    const withField = (name: string, value: string | Blob) => {
      const form = new FormData();
      form.append("file", new Blob(["x"]), "a.txt");
      form.append(name, value);
      return form;
    };
    for (const [form, message] of [
      [new FormData(), "file: Field required"],
      [withField("expires_in_seconds", "12"), "expires_in_seconds: "],
      [withField("colour", "red"), "colour: Extra inputs are not permitted"],
      [withField("file", new Blob(["second"])), "file: Extra inputs are not permitted"],
    ] as const) {
      expect(await errorOf(await post(form))).toMatchObject({ status: 400, message: expect.stringContaining(message) });
    }
    const headers = { "content-type": "multipart/form-data; boundary=x" };
    expect((await post("--x\r\nnonsense", headers)).status).toBe(400);
    expect((await post("{}", { "content-type": "application/json" })).status).toBe(400);
    expect(await blobCount()).toBe(before);
  });
});

describe("downloading", () => {
  it("gives what an agent made, byte for byte, under its name", async () => {
    const { id } = await createSession(api.client);
    const content = randomBytes(700_000);
    const file = await output(id, content, { path: 'über "x".xlsx' });
    expect(file).toMatchObject({ downloadable: true, scope: { type: "session", id } });
    const response = await files().download(file.id);
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    expect(response.headers.get("content-length")).toBe(String(content.length));
    expect(response.headers.get("content-type")).toContain("spreadsheetml");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-disposition")).toBe(
      `attachment; filename="_ber x.xlsx"; filename*=UTF-8''%C3%BCber%20x.xlsx`,
    );
  });

  it("refuses what was uploaded, and what has expired", async () => {
    const { id } = await upload("x", "a.txt");
    await expect(files().download(id)).rejects.toMatchObject({ status: 400, errorCode: "file_not_downloadable" });
    await api.prisma.file.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1) } });
    await expect(files().download(id)).rejects.toMatchObject({ status: 404, errorCode: "file_expired" });
    await expect(createSession(api.client, { resources: [{ type: "file", file_id: id }] })).rejects.toMatchObject({
      status: 404,
      errorCode: "file_expired",
    });
  });

  it("has a picture of what has one", async () => {
    const { id } = await createSession(api.client);
    const withPreview = await output(id, randomBytes(10), { preview: PNG });
    const without = await output(id, randomBytes(10), { path: "notes.txt" });
    const preview = (fileId: string) =>
      fetch(`${api.baseURL}/v1/files/${fileId}/preview`, { headers: rawHeaders(api) });
    const response = await preview(withPreview.id);
    expect(response.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await response.arrayBuffer()).equals(PNG)).toBe(true);
    expect((await preview(without.id)).status).toBe(404);
  });
});

describe("outputs", () => {
  it("become a new file when they change, and the same one when they don't", async () => {
    const { id } = await createSession(api.client);
    const first = await output(id, Buffer.from("one"), { mtimeNs: "1" });
    const touched = await output(id, Buffer.from("one"), { mtimeNs: "2" });
    const second = await output(id, Buffer.from("two!"), { mtimeNs: "3" });
    expect(touched.id).toBe(first.id);
    expect(second.id).not.toBe(first.id);
    expect(await api.files.outputsOf(id)).toEqual(
      new Map([["report.xlsx", { size: 4, mtimeNs: "3", sha256: createHash("sha256").update("two!").digest("hex") }]]),
    );
    expect(await (await files().download(first.id)).text()).toBe("one");
  });

  it("are known by their first bytes, in however small pieces they come", async () => {
    const { id } = await createSession(api.client);
    const file = await output(id, Readable.from([...PNG].map((byte) => Buffer.of(byte))), { path: "chart" });
    expect(file).toMatchObject({ mime_type: "image/png", size_bytes: PNG.length });
  });

  it("leave nothing behind when they can't be read to their end", async () => {
    const { id } = await createSession(api.client);
    const before = await blobCount();
    const reason = new Error("the sandbox is gone");
    const breaking = async function* () {
      yield randomBytes(1_000_000);
      throw reason;
    };
    await expect(output(id, breaking(), { preview: PNG })).rejects.toBe(reason);
    expect(await blobCount()).toBe(before);
    expect(await api.files.outputsOf(id)).toEqual(new Map());
    expect(await readdir(path.join(api.blobDirectory, "unfinished"))).toEqual([]);
  });

  it("leave nothing behind when the database does not take them", async () => {
    const { id } = await createSession(api.client);
    const before = await blobCount();
    await expect(output(id, randomBytes(1_000), { preview: PNG, mtimeNs: "\u0000" })).rejects.toThrow();
    expect(await blobCount()).toBe(before);
  });
});

describe("listing", () => {
  it("finds a session's copies and outputs by scope, with or without the beta header", async () => {
    const original = await upload("x", "a.txt");
    const { id, resources } = await createSession(api.client, { resources: [{ type: "file", file_id: original.id }] });
    const made = await output(id, randomBytes(10));
    const copy = resources.map((resource) => (resource.type === "file" ? resource.file_id : ""));
    const ids = [];
    for await (const file of files().list({ scope_id: id })) ids.push(file.id);
    expect(ids.toSorted()).toEqual([...copy, made.id].toSorted());
    const betas = ["managed-agents-2026-04-01" as const];
    expect((await files().list({ scope_id: id, betas })).data.map((file) => file.id)).toEqual(ids);
    expect((await api.stranger.beta.files.list({ scope_id: id, betas })).data).toEqual([]);
  });

  it("pages through all, and finds those that were asked for", async () => {
    const uploaded = [];
    for (const name of ["a", "b", "c"]) uploaded.push((await upload("x", name)).id);
    const seen = [];
    for await (const file of api.client.files.list({ limit: 2 })) seen.push(file.id);
    expect(seen.slice(0, 3)).toEqual(uploaded.toReversed());

    const { data, next_page } = await files().list({ ids: [...uploaded.slice(0, 2), "file_gone"] });
    expect(data.map(({ id }) => id)).toEqual(uploaded.slice(0, 2).toReversed());
    expect(next_page).toBeNull();
    await expect(files().list({ ids: uploaded, limit: 1 })).rejects.toThrow(/400.*ids/);
  });
});

describe("deleting", () => {
  it("frees the bytes with the last file that has them", async () => {
    const original = await upload("shared", "a.txt");
    const before = await blobCount();
    const session = await createSession(api.client, { resources: [{ type: "file", file_id: original.id }] });
    expect(await files().delete(original.id)).toEqual({ id: original.id, type: "file_deleted" });
    await expect(files().retrieveMetadata(original.id)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect(await blobCount()).toBe(before);

    const [copy] = session.resources;
    const copyId = copy?.type === "file" ? copy.file_id : "";
    const { content } = await api.files.open(api.workspaceId, copyId);
    expect(await digestOf(content)).toBe(createHash("sha256").update("shared").digest("hex"));
    await expect(files().delete(copyId)).rejects.toThrow(/400.*mounted/);

    await output(session.id, randomBytes(10), { preview: PNG });
    expect(await blobCount()).toBe(before + 2);
    await api.client.beta.sessions.delete(session.id);
    await expect(files().retrieveMetadata(copyId)).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    expect(await blobCount()).toBe(before - 1);
  });

  it("never frees bytes that a session takes up at the same moment", async () => {
    const { agent, environment_id } = await createSession(api.client);
    for (let round = 0; round < 20; round++) {
      const { id: file_id } = await upload(`round ${round}`, "a.txt");
      const [created] = await Promise.allSettled([
        api.client.beta.sessions.create({ agent: agent.id, environment_id, resources: [{ type: "file", file_id }] }),
        files().delete(file_id),
      ]);
      if (created.status === "rejected") continue;
      const [copy] = created.value.resources;
      const { content } = await api.files.open(api.workspaceId, copy?.type === "file" ? copy.file_id : "");
      expect(await digestOf(content)).toBe(createHash("sha256").update(`round ${round}`).digest("hex"));
    }
  });

  it("frees bytes whose last two files go at the same moment", async () => {
    for (let round = 0; round < 10; round++) {
      const before = await blobCount();
      const { id: file_id } = await upload(`round ${round}`, "a.txt");
      const { id } = await createSession(api.client, { resources: [{ type: "file", file_id }] });
      await Promise.all([api.client.beta.sessions.delete(id), files().delete(file_id)]);
      expect(await blobCount()).toBe(before);
    }
  });
});

describe("another workspace", () => {
  it("has no such file", async () => {
    const { id } = await createSession(api.client);
    const file = await output(id, randomBytes(10), { preview: PNG });
    const stranger = api.stranger.beta.files;
    for (const attempt of [
      () => stranger.retrieveMetadata(file.id),
      () => stranger.download(file.id),
      () => stranger.delete(file.id),
      () => createSession(api.stranger, { resources: [{ type: "file", file_id: file.id }] }),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    }
    expect((await stranger.list()).data).toEqual([]);
  });
});

async function digestOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of content) hash.update(chunk);
  return hash.digest("hex");
}
