import { once } from "node:events";
import { Agent, request as httpRequest, type IncomingMessage, type RequestListener } from "node:http";
import tls from "node:tls";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Secret } from "../../src/secrets/secret.ts";
import { HOST, type InterceptedHost, interceptedHost, textOf, variable } from "../support/intercepted-host.ts";
import { createTestAuthority } from "../support/test-authority.ts";

const VALUE = "canary-s3cret/with+signs=";
const STARS = "*".repeat(VALUE.length);
const credential = variable(VALUE);
const { placeholder } = credential;

let opened: InterceptedHost | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

type Upstream = (...exchange: Parameters<RequestListener>) => Promise<void> | void;

async function open(upstream: Upstream, more: Partial<Parameters<typeof interceptedHost>[0]> = {}) {
  opened = await interceptedHost({ upstream: (...exchange) => void upstream(...exchange), ...more });
  opened.policy.variables.push(credential);
  return opened;
}

/** What the upstream got, for the test to look at. */
function recorder(answer: RequestListener = (_, response) => void response.end("ok")) {
  const requests: { line: string; headers: string[]; body: string }[] = [];
  const upstream: Upstream = async (request, response) => {
    const body = await textOf(request);
    requests.push({ line: `${request.method} ${request.url}`, headers: request.rawHeaders, body });
    answer(request, response);
  };
  return { requests, upstream };
}

const get = (headers = "", path = "/") =>
  `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n${headers}Connection: close\r\n\r\n`;
const post = (body: string, headers = "") =>
  `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}Connection: close\r\n\r\n${body}`;

/** A client on one connection, as undici or requests has one. */
async function client(host: InterceptedHost) {
  const socket = await host.secure();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  return async (options: { method?: string; path?: string; headers?: Record<string, string>; body?: string } = {}) => {
    const request = httpRequest({ agent, ...options, headers: { host: HOST, ...options.headers } });
    request.end(options.body);
    const [response]: IncomingMessage[] = await once(request, "response");
    if (!response) throw new Error("no response");
    return { response, text: await textOf(response) };
  };
}

describe("a request to a host with a secret", () => {
  it("arrives with the secret where the placeholder was, also inside Basic, and not in path, query or names", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    const basic = Buffer.from(`user:${placeholder}`).toString("base64");
    await host.exchange(
      get(
        `Authorization: Basic ${basic}\r\nX-Api-Key: k=${placeholder}\r\nX-${placeholder}: 1\r\n`,
        `/${placeholder}?q=${placeholder}`,
      ),
    );
    const [arrived] = requests;
    expect(arrived?.line).toBe(`GET /${placeholder}?q=${placeholder}`);
    expect(arrived?.headers).toContain(`Basic ${Buffer.from(`user:${VALUE}`).toString("base64")}`);
    expect(arrived?.headers).toContain(`k=${VALUE}`);
    expect(arrived?.headers).toContain(`X-${placeholder}`);
    expect(host.finished).toEqual([{ status: 200, credentialIds: ["cred_1"] }]);
  });

  it("keeps the placeholder where the secret is for another host or another place", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    host.policy.variables.splice(0, 1, variable(VALUE, { hosts: ["other.example.com"] }));
    await host.exchange(post(placeholder, `X-Key: ${placeholder}\r\n`));
    host.policy.variables.splice(0, 1, variable(VALUE, { inHeaders: false }));
    await host.exchange(post(placeholder, `X-Key: ${placeholder}\r\n`));
    host.policy.variables.splice(0, 1, variable(VALUE, { inBody: false }));
    await host.exchange(post(placeholder, `X-Key: ${placeholder}\r\n`));
    expect(requests.map(({ headers, body }) => [headers.includes(placeholder), body])).toEqual([
      [true, placeholder],
      [true, VALUE],
      [false, placeholder],
    ]);
  });

  it.each([
    ["text/plain", VALUE],
    ["application/json; charset=utf-8", VALUE],
    ["application/x-www-form-urlencoded", encodeURIComponent(VALUE)],
  ])("has the secret in a %s body, escaped as such, with the right length", async (type, arrived) => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    await host.exchange(post(`a=${placeholder}&b`, `Content-Type: ${type}\r\nExpect: 100-continue\r\n`));
    expect(requests[0]?.body).toBe(`a=${arrived}&b`);
    expect(requests[0]?.headers).toContain(String(arrived.length + 4));
    expect(host.finished).toEqual([{ status: 200, credentialIds: ["cred_1"] }]);
  });

  it("has the secret in a large body, of which only parts are in memory", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    const filler = "x".repeat(1_500_000);
    await host.exchange(post(`${filler}${placeholder}${filler}`));
    expect(requests[0]?.headers).toContain("chunked");
    expect(requests[0]?.body === `${filler}${VALUE}${filler}`).toBe(true);
  });

  it("does without the secret from the moment it is revoked, on a connection that is kept", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    const send = await client(host);
    await send({ headers: { "x-key": placeholder } });
    host.policy.variables.length = 0;
    await send({ headers: { "x-key": placeholder } });
    expect(requests.map(({ headers }) => [headers.includes(VALUE), headers.includes(placeholder)])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(host.dialed()).toBe(1);
  });

  it("is refused when a secret with a line break would stand in a header", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    host.policy.variables.splice(0, 1, variable("secret-one\r\nHost: evil.example.com"));
    const text = await host.exchange(get(`X-Key: ${placeholder}\r\n`));
    expect(text).toMatch(/^HTTP\/1.1 403 .*\r\nx-deckhand-denied: unsendable_secret/);
    expect(text).not.toContain("secret-one");
    expect(requests).toEqual([]);
  });

  it("is not sent when the host has more secrets than can be looked for in its answer", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    for (let index = 0; index < 5; index += 1) {
      host.policy.variables.push(variable(String(index).repeat(8_192), { placeholder: `${placeholder}${index}` }));
    }
    expect(await host.exchange(get(`X-Key: ${placeholder}\r\n`))).toMatch(/^HTTP\/1.1 502 [^]*too many credentials/);
    expect(requests).toEqual([]);
  });

  it("has neither encodings nor ranges, which would hide a secret in the answer, nor what is about the connection", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    await host.exchange(
      get(
        "Accept-Encoding: br\r\nRange: bytes=0-3\r\nRequest-Range: bytes=0-3\r\nProxy-Authorization: x\r\nTE: trailers\r\n",
      ),
    );
    const headers = requests[0]?.headers.filter((_, index) => index % 2 === 0) ?? [];
    expect(headers).toEqual(["Host", "Accept-Encoding", "Connection"]);
    expect(requests[0]?.headers).toContain("identity");
  });
});

describe("a git repository", () => {
  const REPOSITORY = {
    resourceId: "sesrsc_1",
    host: HOST,
    port: 443,
    path: "/owner/name",
    token: new Secret("ghp_token123"),
  };
  const BASIC = `Basic ${Buffer.from("x-access-token:ghp_token123").toString("base64")}`;

  it("gets its token where git speaks to it without one, and nowhere else", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    host.policy.repositories.push(REPOSITORY);
    await host.exchange(get("", "/owner/name.git/info/refs?service=git-upload-pack"));
    await host.exchange(get("", "/owner/name/settings"));
    await host.exchange(get("Authorization: Bearer mine\r\n", "/owner/name/info/refs"));
    expect(requests.map(({ headers }) => headers[headers.indexOf("Authorization") + 1])).toEqual([
      BASIC,
      "Host",
      "Bearer mine",
    ]);
    expect(host.finished.map(({ credentialIds }) => credentialIds)).toEqual([["sesrsc_1"], [], []]);
  });

  it("has its token starred out of an answer that shows it, also as it was sent", async () => {
    const host = await open((request, response) => void response.end(`${request.headers.authorization} ghp_token123`));
    host.policy.repositories.push(REPOSITORY);
    const text = await host.exchange(get("", "/owner/name/git-upload-pack"));
    expect(text).toContain(`Basic ${"*".repeat(BASIC.length - 6)} ${"*".repeat(12)}`);
  });
});

describe("an answer", () => {
  const echo =
    (encode: (text: string) => string | Buffer, headers: Record<string, string> = {}): RequestListener =>
    (request, response) => {
      response.writeHead(200, headers);
      response.end(encode(String(request.headers["x-key"])));
    };
  const KEY = `X-Key: ${placeholder}\r\n`;

  it.each<[string, (text: string) => string | Buffer, Record<string, string>?]>([
    ["as it is", (text) => text],
    ["in base64", (text) => Buffer.from(`ab${text}c`).toString("base64")],
    ["in base64url", (text) => Buffer.from(`a${text}`).toString("base64url")],
    ["in a URL", (text) => `https://a/?k=${encodeURIComponent(text)}`],
    ["in JSON of PHP", (text) => JSON.stringify({ text }).replaceAll("/", "\\/")],
    ["in hex", (text) => Buffer.from(text).toString("hex").toUpperCase()],
    ["in gzip", gzipSync, { "content-encoding": "gzip" }],
    ["in deflate", deflateSync, { "content-encoding": "deflate" }],
    ["in Brotli", brotliCompressSync, { "content-encoding": "br" }],
    ["in Zstandard", zstdCompressSync, { "content-encoding": "ZSTD" }],
  ])("that shows the secret %s has stars in its place", async (_, encode, headers) => {
    const host = await open(echo(encode, headers));
    const text = await host.exchange(get(KEY));
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(text).toContain("*".repeat(20));
    for (const form of [VALUE, encodeURIComponent(VALUE), Buffer.from(VALUE).toString("hex")]) {
      expect(text.toLowerCase()).not.toContain(form.toLowerCase());
    }
    expect(text).not.toMatch(/canary|s3cret|Y2FuYXJ5|NhbmFyeS1|jYW5hcnkt/);
  });

  it("that shows it byte by byte has stars in its place", async () => {
    const host = await open(async (request, response) => {
      for (const byte of `<${String(request.headers["x-key"])}>`) {
        response.write(byte);
        await new Promise((resolve) => void setImmediate(resolve));
      }
      response.end();
    });
    const send = await client(host);
    expect((await send({ headers: { "x-key": placeholder } })).text).toBe(`<${STARS}>`);
  });

  it("that shows it in a header, a redirect, a cookie, the status text or a trailer has stars in its place", async () => {
    const host = await open((request, response) => {
      const key = String(request.headers["x-key"]);
      response.writeHead(302, `Moved ${key}`, [
        ...["Location", `https://evil.example.com/?k=${encodeURIComponent(key)}`],
        ...["Set-Cookie", `a=${key}`, "Set-Cookie", "b=2", "Trailer", "X-After", "X-Deckhand-Denied", "no"],
      ]);
      response.write("text");
      response.addTrailers({ "X-After": key });
      response.end();
    });
    const text = await host.exchange(get(KEY));
    expect(text).toContain(`HTTP/1.1 302 Moved ${STARS}\r\n`);
    expect(text).toContain(`Location: https://evil.example.com/?k=${"*".repeat(encodeURIComponent(VALUE).length)}\r\n`);
    expect(text).toContain(`Set-Cookie: a=${STARS}\r\nSet-Cookie: b=2\r\n`);
    expect(text).toContain(`X-After: ${STARS}\r\n`);
    expect(text).not.toContain("Denied");
    expect(text).not.toContain("canary");
  });

  it.each(["gzip", "gzip, chunked"])("that is compressed on its way, as %s, is none", async (coding) => {
    const host = await open((request, { socket }) => {
      const body = gzipSync(String(request.headers["x-key"]));
      socket?.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\nConnection: close\r\n\r\n`);
      if (coding === "gzip") socket?.end(body);
      else
        socket?.end(
          Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")]),
        );
    });
    expect(await host.exchange(get(KEY))).toMatch(/^HTTP\/1.1 502 [^]*transfer encoding/);
  });

  it("to HEAD, and one without content, ends after its headers and keeps the connection", async () => {
    const host = await open((request, response) => {
      if (request.method === "HEAD") response.writeHead(200, { "content-length": "5" }).end();
      else response.writeHead(204, { "content-encoding": "gzip" }).end();
    });
    const send = await client(host);
    expect((await send({ method: "HEAD" })).response.headers).toMatchObject({ "content-length": "5" });
    expect((await send()).response.statusCode).toBe(204);
    expect(host.dialed()).toBe(1);
  });

  it.each(["compress", "gzip, br", "aws-chunked"])("in the encoding %s is not passed on", async (encoding) => {
    const host = await open(echo((text) => text, { "content-encoding": encoding }));
    const text = await host.exchange(get(KEY));
    expect(text).toMatch(/^HTTP\/1.1 502 /);
    expect(text).not.toContain("canary");
    expect(host.finished).toEqual([{ status: 502, credentialIds: ["cred_1"] }]);
  });

  it("has no early hints before it", async () => {
    const host = await open((request, response) => {
      response.writeEarlyHints({ link: `<https://x/${String(request.headers["x-key"])}>; rel=preload` });
      response.end("done");
    });
    expect(await host.exchange(get(KEY))).toMatch(/^HTTP\/1.1 200 OK\r\n(.*\r\n)*\r\ndone$/);
  });

  it("of events comes as it is sent", async () => {
    let finish = () => {};
    const host = await open((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: one\n\n");
      finish = () => response.end("data: two\n\n");
    });
    const socket = await host.secure();
    socket.write(get());
    let seen = "";
    for await (const part of socket) {
      seen += String(part);
      // The second event is only sent once the first has arrived.
      if (seen.includes("data: one\n\n")) finish();
    }
    expect(seen).toContain("data: two\n\n");
  });

  it("that the server breaks off is broken off, not ended", async () => {
    const host = await open((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half");
      setImmediate(() => response.destroy());
    });
    const send = await client(host);
    const { response } = await send();
    expect(response.complete).toBe(false);
  });

  it("reaches a client of HTTP/1.0", async () => {
    const host = await open((_, response) => void response.end("hello"));
    expect(await host.exchange("GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 200 OK\r\n(.*\r\n)*\r\nhello$/);
  });

  it("comes in the order of pipelined requests, each of which arrives when the one before is answered", async () => {
    const steps: string[] = [];
    const host = await open((request, response) => {
      steps.push(`${request.url} arrives`);
      // Later than all that was sent together with it would be there.
      setTimeout(() => {
        steps.push(`${request.url} is answered`);
        response.end(`[${request.url}]`);
      }, 50);
    });
    const first = `GET /1 HTTP/1.1\r\nHost: ${HOST}\r\n\r\nGET /2 HTTP/1.1\r\nHost: evil.example.com\r\n\r\n`;
    const text = await host.exchange(`${first}${get("", "/3")}`);
    expect(text).toMatch(/\[\/1\][^]*HTTP\/1.1 403 [^]*name_mismatch[^]*\[\/3\]/);
    expect(steps).toEqual(["/1 arrives", "/1 is answered", "/3 arrives", "/3 is answered"]);
  });
});

describe("what is not for the host of the connection", () => {
  it.each([
    ["another Host", "GET / HTTP/1.1\r\nHost: evil.example.com\r\n"],
    ["another port", `GET / HTTP/1.1\r\nHost: ${HOST}:8443\r\n`],
    ["no Host, in HTTP/0.9", "GET /\r\n"],
    ["two Hosts", `GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: evil.example.com\r\n`],
    ["a URL of another host", `GET https://evil.example.com/ HTTP/1.1\r\nHost: ${HOST}\r\n`],
    ["a URL with a user", `GET https://${HOST}@evil.example.com/ HTTP/1.1\r\nHost: ${HOST}\r\n`],
    ["a URL that is not https", `GET http://${HOST}/ HTTP/1.1\r\nHost: ${HOST}\r\n`],
  ])("is refused: %s", async (_, head) => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    const text = await host.exchange(`${head}X-Key: ${placeholder}\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1.1 403 .*api\.example\.com.*\r\nx-deckhand-denied: name_mismatch\r\n/);
    expect([requests.length, host.admitted.length, host.refused.map(({ rule }) => rule)]).toEqual([
      0,
      0,
      ["name_mismatch"],
    ]);
  });

  it("but a URL of the host itself is its path", async () => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    await host.exchange(`GET https://API.example.com:443/a?b HTTP/1.1\r\nHost: ${HOST}.\r\nConnection: close\r\n\r\n`);
    expect(requests[0]?.line).toBe("GET /a?b");
    expect(requests[0]?.headers.slice(0, 2)).toEqual(["Host", HOST]);
  });

  it.each([
    ["evil.example.com", { servername: "evil.example.com" }],
    ["nothing", { servername: "" }],
  ])("gets no handshake: TLS that names %s", async (_, options) => {
    const host = await open(recorder().upstream);
    await expect(host.secure({ ...options, checkServerIdentity: () => undefined })).rejects.toThrow(/alert/);
    await expect.poll(() => host.refused.map(({ rule }) => rule)).toEqual(["name_mismatch"]);
  });

  it("and an address needs no name", async () => {
    opened = await interceptedHost({ upstream: (_, response) => void response.end("ok"), host: "10.0.0.7" });
    const socket = await opened.secure();
    socket.write("GET / HTTP/1.1\r\nHost: 10.0.0.7\r\nConnection: close\r\n\r\n");
    expect(await textOf(socket)).toMatch(/ok$/);
  });
});

describe("what could not be looked into", () => {
  it.each([
    ["TRACE", `TRACE / HTTP/1.1\r\nHost: ${HOST}\r\n`, "method_not_allowed"],
    ["CONNECT", `CONNECT ${HOST}:443 HTTP/1.1\r\nHost: ${HOST}\r\n`, "method_not_allowed"],
    ["WebSocket", `GET / HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`, "upgrade"],
  ])("is refused: %s", async (_, head, rule) => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    const text = await host.exchange(`${head}Connection: close\r\n\r\n`);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 403 .*\r\nx-deckhand-denied: ${rule}\r\n`));
    expect([requests, host.refused.map(({ rule }) => rule)]).toEqual([[], [rule]]);
  });

  it.each([
    ["two lengths", "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd"],
    ["a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["chunks under a disguise", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["a line break in a header", "X-A: b\nHost: evil.example.com\r\n\r\n"],
    ["a space before the colon", "Content-Length : 4\r\n\r\nabcd"],
    ["a folded header", "X-A: b\r\n c: d\r\n\r\n"],
  ])("never reaches the server: %s", async (_, rest) => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    const text = await host.exchange(
      `POST / HTTP/1.1\r\nHost: ${HOST}\r\n${rest}GET /smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    );
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(requests).toEqual([]);
  });

  it.each([
    ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["no HTTP", "\0\u0001\u0002garbage\r\n\r\n"],
    ["no end of headers", `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-A: ${"a".repeat(70_000)}`],
  ])("ends the connection: %s", async (_, bytes) => {
    const { requests, upstream } = recorder();
    const host = await open(upstream);
    expect(await host.exchange(bytes)).toMatch(/^(HTTP\/1.1 4\d\d |$)/);
    expect(requests).toEqual([]);
  });
});

describe("the server behind", () => {
  it.each([
    ["has a certificate of nobody that is trusted", { trusts: createTestAuthority() }],
    ["has a certificate for another host", { certifiedFor: "other.example.com" }],
  ])("gets nothing when it %s", async (_, options) => {
    const { requests, upstream } = recorder();
    const host = await open(upstream, options);
    const text = await host.exchange(get(`X-Key: ${placeholder}\r\n`));
    expect(text).toMatch(/^HTTP\/1.1 502 [^]*api\.example\.com can't be spoken to with TLS/);
    expect(text).not.toContain("canary");
    expect(requests).toEqual([]);
    expect(host.finished).toEqual([{ status: 502, credentialIds: ["cred_1"] }]);
  });

  it("is connected to before it is asked, once, and asked on that connection", async () => {
    const host = await open((_, response) => void response.end("ok"));
    const socket = await host.secure();
    await vi.waitUntil(() => host.dialed() === 1);
    socket.write(get());
    expect(await textOf(socket)).toContain("ok");
    expect(host.dialed()).toBe(1);
  });

  it("is let go when the client is gone", async () => {
    const gone = Promise.withResolvers<void>();
    const host = await open((request, response) => {
      response.write("first");
      request.on("close", gone.resolve);
    });
    const socket = await host.secure();
    socket.write(get());
    await once(socket, "data");
    socket.destroy();
    await gone.promise;
    expect(host.finished.length).toBeLessThan(2);
  });

  it("may answer before it has read a body, and the connection goes on", async () => {
    const host = await open((_, response) => void response.writeHead(413, { connection: "close" }).end("too large"));
    const send = await client(host);
    const { text, response } = await send({ method: "POST", body: "x".repeat(3_000_000) });
    expect([response.statusCode, text]).toEqual([413, "too large"]);
  });

  it("passes 200 MB each way, no faster than they are taken and without keeping them", async () => {
    const SIZE = 200 * 1024 * 1024;
    const KEPT_MAX = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(1024 * 1024, "some text that is of no interest to anyone ");
    let sent = 0;
    let received = 0;
    const host = await open(async (request, response) => {
      for await (const part of request) received += Buffer.byteLength(part);
      for (; request.method === "GET" && sent < SIZE; sent += chunk.length) {
        if (!response.write(chunk)) await once(response, "drain");
      }
      response.end();
    });
    const kept = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = kept();
    const down = await host.secure();
    down.write(get());

    // Nobody reads what comes down yet.
    const up = await host.secure();
    up.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${SIZE}\r\nConnection: close\r\n\r\n`);
    for (let written = 0; written < SIZE; written += chunk.length) if (!up.write(chunk)) await once(up, "drain");
    await textOf(up);
    expect([received, sent < KEPT_MAX]).toEqual([SIZE, true]);

    let length = 0;
    let most = 0;
    for await (const part of down) {
      length += Buffer.byteLength(part);
      most = Math.max(most, kept() - before);
    }
    expect([length > SIZE, most < KEPT_MAX * 1.5]).toEqual([true, true]);
    expect([host.counted.in > SIZE, host.counted.out > SIZE]).toEqual([true, true]);
  }, 60_000);

  it("gets a body no faster than it takes it", async () => {
    const SIZE = 64 * 1024 * 1024;
    const chunk = Buffer.alloc(1024 * 1024);
    const released = Promise.withResolvers<void>();
    let received = 0;
    const host = await open(async (request, response) => {
      if (request.method === "POST") await released.promise;
      for await (const part of request) received += Buffer.byteLength(part);
      response.end();
    });
    const socket = await host.secure();
    socket.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${SIZE}\r\nConnection: close\r\n\r\n`);
    for (let written = 0; written < SIZE; written += chunk.length) socket.write(chunk);
    // Time enough for all of it, had somebody taken it.
    const send = await client(host);
    for (let count = 0; count < 200; count += 1) await send();
    expect(host.counted.out).toBeLessThan(SIZE / 2);
    released.resolve();
    await textOf(socket);
    expect(received).toBe(SIZE);
  }, 60_000);
});

it("trusts nobody for the sandbox but the installation's own authority", async () => {
  const host = await open(recorder().upstream);
  await expect(host.secure({ ca: tls.rootCertificates.slice(0, 1) })).rejects.toThrow(/certificate/);
});
