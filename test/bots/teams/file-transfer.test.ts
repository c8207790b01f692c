import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { isFileAddress, MICROSOFT_FILE_HOSTS } from "../../../bots/teams/file-hosts.ts";
import { AddressOverError, uploadInParts } from "../../../bots/teams/file-transfer.ts";
import { RetryableError, TerminalError } from "../../../src/errors.ts";

const { signal } = new AbortController();
const BYTES = Buffer.from(Array.from({ length: 11 * 1024 * 1024 }, (_, index) => index % 251));
const content = async () => new Blob([BYTES]).stream();
const close: (() => void)[] = [];
afterEach(() => close.splice(0).forEach((stop) => stop()));

/** An upload session that holds some bytes already, and answers as told. */
async function session(received: Buffer, status: number | null = null) {
  const state = { received };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const start = Number(/bytes (\d+)-/.exec(request.headers["content-range"] ?? "")?.[1]);
    if (status !== null) response.writeHead(status).end();
    else if (request.method === "GET")
      response.end(JSON.stringify({ nextExpectedRanges: [`${state.received.length}-`] }));
    else if (start !== state.received.length) response.writeHead(416).end();
    else {
      state.received = Buffer.concat([state.received, body]);
      response.end(JSON.stringify({ id: "item" }));
    }
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  close.push(() => server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port was given.");
  return { state, upload: { url: `http://127.0.0.1:${address.port}/up`, sizeBytes: BYTES.length, content } };
}

describe("an upload in parts", () => {
  it.each([0, 320 * 1024, 10 * 1024 * 1024])("goes on where one of before ended, at %i bytes", async (had) => {
    const { state, upload } = await session(BYTES.subarray(0, had));
    expect(await uploadInParts(upload, signal)).toEqual({ id: "item" });
    expect(state.received.equals(BYTES)).toBe(true);
  });

  it.each([
    [404, AddressOverError],
    [401, AddressOverError],
    [302, TerminalError],
    [429, RetryableError],
    [503, RetryableError],
  ])("that is answered with %i says whether to try again", async (status, error) => {
    const { upload } = await session(Buffer.alloc(0), status);
    await expect(uploadInParts(upload, signal)).rejects.toBeInstanceOf(error);
  });

  it("sends no file that is not as long as was said", async () => {
    const { upload } = await session(Buffer.alloc(0));
    await expect(uploadInParts({ ...upload, sizeBytes: BYTES.length - 1 }, signal)).rejects.toThrow(TerminalError);
    await expect(uploadInParts({ ...upload, sizeBytes: BYTES.length + 1 }, signal)).rejects.toThrow(TerminalError);
  });
});

describe("addresses of files", () => {
  it.each([
    "https://acme.sharepoint.com/x",
    "https://acme-my.sharepoint.us/personal/x",
    "https://public.ab.files.1drv.com/y",
  ])("%s is Microsoft's", (address) => expect(isFileAddress(address, MICROSOFT_FILE_HOSTS)).toBe(true));

  it.each([
    "http://acme.sharepoint.com/x",
    "https://sharepoint.com.evil.test/x",
    "https://evilsharepoint.com/x",
    "https://acme.sharepoint.com:8443/x",
    "https://user@acme.sharepoint.com/x",
    "https://10.0.0.1/x",
    "https://169.254.169.254/latest",
    "file:///etc/passwd",
    "nothing",
  ])("%s is not", (address) => expect(isFileAddress(address, MICROSOFT_FILE_HOSTS)).toBe(false));
});
