import { randomBytes } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { toFile } from "@anthropic-ai/sdk";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signFileLink } from "../../src/files/file-link.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { createSession, errorOf, LINK_KEY, rawHeaders, startApi, type TestApi } from "../support/api.ts";

interface Link {
  type: string;
  url: string;
  expires_at: string;
}

const logged: string[] = [];
const lines = new Writable({
  write(chunk, _encoding, done) {
    logged.push(String(chunk));
    done();
  },
});

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ log: pino({ level: "trace" }, lines) });
});
afterAll(() => api.stop());

const linkTo = (fileId: string, body?: object, client = api.client) =>
  client.post<Link>(`/v1/files/${fileId}/link`, body ? { body } : {});
const tokenFor = (fileId: string, expiresAt: Date, workspaceId = api.workspaceId, key = LINK_KEY) =>
  signFileLink({ workspaceId, fileId, expiresAt }, key);
const get = (token: string, init: RequestInit = {}) => fetch(`${api.baseURL}/download/${token}`, init);
const inAnHour = () => new Date(Date.now() + 3_600_000);

async function output(content: Buffer, path = "report.xlsx") {
  const { id } = await createSession(api.client);
  return api.files.saveOutput({
    workspaceId: api.workspaceId,
    sessionId: id,
    path,
    mtimeNs: "1",
    content: Readable.from([content]),
    preview: null,
  });
}

describe("a link to a file", () => {
  it("gives the file to whoever has it, without a key, byte for byte, to be saved under its name", async () => {
    const content = randomBytes(700_000);
    const file = await output(content, 'über "x".xlsx');
    const link = await linkTo(file.id);
    expect(link).toEqual({ type: "file_link", url: expect.any(String), expires_at: expect.any(String) });
    expect(link.url.startsWith(`${api.baseURL}/download/`)).toBe(true);
    const response = await fetch(link.url);
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-length": String(content.length),
      "content-disposition": `attachment; filename="_ber x.xlsx"; filename*=UTF-8''%C3%BCber%20x.xlsx`,
      "x-content-type-options": "nosniff",
      "content-security-policy": "sandbox; default-src 'none'",
      "cache-control": "private, no-store",
      "referrer-policy": "no-referrer",
    });
  });

  it("is good for a day, or for as long as was asked", async () => {
    const { id } = await output(Buffer.from("x"));
    const left = async (body?: object) => Date.parse((await linkTo(id, body)).expires_at) - Date.now();
    for (const [body, seconds] of [
      [undefined, 86_400],
      [{}, 86_400],
      [{ expires_in_seconds: 60 }, 60],
      [{ expires_in_seconds: 604_800 }, 604_800],
    ] as const) {
      const ms = await left(body);
      expect(ms).toBeGreaterThan((seconds - 30) * 1000);
      expect(ms).toBeLessThanOrEqual(seconds * 1000);
    }
  });

  it("can't be made for less than a minute or more than a week", async () => {
    const { id } = await output(Buffer.from("x"));
    for (const expires_in_seconds of [59, 604_801, 61.5, "60", null]) {
      await expect(linkTo(id, { expires_in_seconds })).rejects.toMatchObject({ status: 400 });
    }
    await expect(linkTo(id, { expires_in: 60 })).rejects.toMatchObject({ status: 400 });
  });

  it("can't be made without a key, for another workspace's file, nor for one that can't be downloaded", async () => {
    const { id } = await output(Buffer.from("x"));
    const path = `${api.baseURL}/v1/files/${id}/link`;
    expect(await errorOf(await fetch(path, { method: "POST" }))).toMatchObject({ status: 401 });
    await expect(linkTo(id, {}, api.stranger)).rejects.toMatchObject({ status: 404 });
    await expect(linkTo("file_nope")).rejects.toMatchObject({ status: 404 });
    const uploaded = await api.client.beta.files.upload({ file: await toFile(Buffer.from("x"), "a.txt") });
    await expect(linkTo(uploaded.id)).rejects.toMatchObject({ status: 400, errorCode: "file_not_downloadable" });
    await api.prisma.file.update({ where: { id }, data: { expiresAt: new Date(Date.now() - 1) } });
    await expect(linkTo(id)).rejects.toMatchObject({ status: 404, errorCode: "file_expired" });
  });

  it("takes no body at all, as a client without the SDK may send none", async () => {
    const { id } = await output(Buffer.from("x"));
    const response = await fetch(`${api.baseURL}/v1/files/${id}/link`, { method: "POST", headers: rawHeaders(api) });
    expect(response.status).toBe(200);
  });

  it("says in words that it has expired", async () => {
    const { id } = await output(Buffer.from("secret"));
    const response = await get(tokenFor(id, new Date(Date.now() - 1_000)));
    expect(response.status).toBe(410);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(await response.text()).toBe("This link has expired. Ask for a new one where you got it.\n");
  });

  it("does not work when it was forged, and does not tell whether there is such a file", async () => {
    const { id } = await output(Buffer.from("secret"));
    const good = tokenFor(id, inAnHour());
    const answers = await Promise.all(
      [
        tokenFor(id, inAnHour(), api.workspaceId, new Secret("another key of thirty-two characters")),
        tokenFor(id, inAnHour(), "wrkspc_other"),
        tokenFor("file_nope", inAnHour()),
        `${good}A`,
        good.slice(0, -1),
        `${good.split(".")[0]}.`,
        "nonsense",
        "%00".replace("00", "41"),
      ].map(async (token) => {
        const response = await get(token);
        return [response.status, await response.text()];
      }),
    );
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(answers[0]).toEqual([404, "This link does not work. It may be incomplete, or the file was deleted.\n"]);
    expect((await get(good)).status).toBe(200);
  });

  it("stops working when the file is deleted", async () => {
    const { id } = await output(Buffer.from("x"));
    const { url } = await linkTo(id);
    await api.client.beta.files.delete(id);
    expect((await fetch(url)).status).toBe(404);
  });

  it("says in words that the file can't be read", async () => {
    const file = await output(Buffer.from("x"));
    const { blobKey } = await api.prisma.file.findUniqueOrThrow({ where: { id: file.id } });
    await api.files.dropBlobs([blobKey]);
    const response = await get(tokenFor(file.id, inAnHour()));
    expect(response.status).toBe(500);
    expect(await response.text()).toBe("The file can't be read just now. Try again in a minute.\n");
  });

  it("is in no log, whatever becomes of it", async () => {
    const { id } = await output(Buffer.from("x"));
    const { url } = await linkTo(id);
    const token = url.split("/download/")[1] ?? "";
    const forged = `${token}A`;
    const expired = tokenFor(id, new Date(0));
    const before = logged.length;
    for (const path of [`/download/${token}`, `/download/${forged}`, `/download/${expired}`, `/%64ownload/${token}`]) {
      await fetch(api.baseURL + path);
      await fetch(api.baseURL + path, { method: "HEAD" });
      await fetch(`${api.baseURL}${path}/`);
      await fetch(`${api.baseURL}/v1${path}?x=1`);
    }
    await get(token, { method: "POST" });
    await expect.poll(() => logged.length).toBeGreaterThanOrEqual(before + 17);
    const text = logged.join("");
    for (const part of [token, ...token.split("."), ...expired.split(".")]) expect(text).not.toContain(part);
    expect(text).toContain("/download/:token");
    expect(text).not.toContain(LINK_KEY.reveal());
  });

  it("leads to where browsers find the API", async () => {
    const own = await startApi({ publicUrl: "https://files.example.com/deckhand/" });
    const { id } = await createSession(own.client);
    const file = await own.files.saveOutput({
      workspaceId: own.workspaceId,
      sessionId: id,
      path: "a.txt",
      mtimeNs: "1",
      content: Readable.from([Buffer.from("x")]),
      preview: null,
    });
    const { url } = await own.client.post<Link>(`/v1/files/${file.id}/link`, { body: {} });
    expect(url).toMatch(/^https:\/\/files\.example\.com\/deckhand\/download\/[\w.-]+$/);
    await own.stop();
  });
});
