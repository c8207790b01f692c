import type { RequestListener, ServerResponse } from "node:http";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import type { Heard } from "./hosts.ts";

const ECHO = /\/echo\/(?<way>[a-z0-9-]+)/;

/** Where redirects of the echoing host lead, with the secret in the query. */
export const REDIRECT_TO = "https://other.test";

type Way = (response: ServerResponse, secret: string, prefix: string) => void;

const plain =
  (form: (secret: string) => string | Buffer, headers: Record<string, string> = {}): Way =>
  (response, secret) =>
    void response.writeHead(200, headers).end(form(secret));

const HTML_ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const text = (secret: string) => `before ${secret} after\n`.repeat(3);
const hex = (secret: string) => Buffer.from(secret, "latin1").toString("hex");

/** All the ways in which this host gives back what it was sent. */
export const WAYS: Record<string, Way> = {
  body: plain(text),
  header: (response, secret) => void response.writeHead(200, { "x-echo": secret }).end(),
  cookie: (response, secret) => void response.writeHead(200, { "set-cookie": `session=${secret}; Path=/` }).end(),
  "status-text": (response, secret) => void response.writeHead(200, secret.replaceAll(/[^ -~]/g, "")).end("ok"),
  gzip: plain((secret) => gzipSync(text(secret)), { "content-encoding": "gzip" }),
  "x-gzip": plain((secret) => gzipSync(text(secret)), { "content-encoding": "x-gzip" }),
  br: plain((secret) => brotliCompressSync(text(secret)), { "content-encoding": "br" }),
  deflate: plain((secret) => deflateSync(text(secret)), { "content-encoding": "deflate" }),
  "deflate-raw": plain((secret) => deflateRawSync(text(secret)), { "content-encoding": "deflate" }),
  zstd: plain((secret) => zstdCompressSync(text(secret)), { "content-encoding": "zstd" }),
  "gzip-twice": plain((secret) => gzipSync(gzipSync(text(secret))), { "content-encoding": "gzip, gzip" }),
  "unknown-encoding": plain(text, { "content-encoding": "x-own" }),
  "byte-by-byte": (response, secret) => void drip(response, text(secret)),
  trailers: (response, secret) => {
    response.writeHead(200, { trailer: "x-echo", "transfer-encoding": "chunked" }).write("body\n");
    response.addTrailers({ "x-echo": secret });
    response.end();
  },
  "error-page": (response, secret) => void response.writeHead(500).end(`<h1>Bad key ${secret}</h1>`),
  redirect: (response, secret, prefix) => {
    const query = new URLSearchParams({ key: secret });
    response.writeHead(302, { location: `${REDIRECT_TO}${prefix}/taken?${query.toString()}` }).end();
  },
  "early-hints": (response, secret) => {
    response.writeEarlyHints({ link: "</a.css>; rel=preload", "x-echo": secret });
    response.writeHead(200).end("ok");
  },
  events: (response, secret) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: key\ndata: ${secret.slice(0, 9)}`);
    setImmediate(() => response.end(`${secret.slice(9)}\n\n`));
  },
  json: plain((secret) => JSON.stringify({ key: secret })),
  "json-slashes": plain((secret) => JSON.stringify({ key: secret }).replaceAll("/", "\\/")),
  "json-html": plain((secret) =>
    JSON.stringify({ key: secret }).replaceAll(
      /[<>&']/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  ),
  html: plain((secret) => secret.replaceAll(/[&<>"']/g, (char) => HTML_ENTITIES[char] ?? char)),
  base64: plain((secret) =>
    ["", "u", "us"].map((user) => Buffer.from(`${user}${secret}!`, "latin1").toString("base64")).join("\n"),
  ),
  base64url: plain((secret) => Buffer.from(`user:${secret}`, "latin1").toString("base64url")),
  "base64-percent": plain((secret) => encodeURIComponent(Buffer.from(secret, "latin1").toString("base64"))),
  hex: plain(hex),
  "hex-upper": plain((secret) => hex(secret).toUpperCase()),
  percent: plain(encodeURIComponent),
  "percent-all": plain((secret) => hex(secret).replaceAll(/../g, "%$&")),
  form: plain((secret) => String(new URLSearchParams({ key: secret }))),
  utf16: plain((secret) => Buffer.from(secret, "utf16le")),
  "header-name": (response, secret) => {
    response.writeHead(200, /^\w+$/.test(secret) ? { [`x-${secret}`]: "1" } : {}).end();
  },
  part: (response, secret) => {
    const whole = text(secret);
    const range = /bytes=(\d+)-(\d+)/.exec(response.req.headers.range ?? "");
    const [from, to] = range ? [Number(range[1]), Number(range[2]) + 1] : [0, whole.length];
    response.writeHead(range ? 206 : 200).end(whole.slice(from, to));
  },
};

/** The echoing host's answer to `…/echo/<way>`; null to other requests. */
export function echo({ target, headers, body }: Heard): RequestListener | null {
  const found = ECHO.exec(target);
  const way = WAYS[found?.groups?.["way"] ?? ""];
  if (!found || !way) return null;
  const key = headers["x-api-key"];
  const sent = typeof key === "string" ? key : (secretOf(headers.authorization) ?? body);
  return (_, response) => way(response, sent, target.slice(0, found.index));
}

function secretOf(authorization: string | undefined): string | undefined {
  const basic = /^basic (.*)$/i.exec(authorization ?? "")?.[1];
  return basic ? Buffer.from(basic, "base64").toString("latin1") : authorization?.replace(/^bearer /i, "");
}

/** Each byte a chunk of its own. */
async function drip(response: ServerResponse, whole: string): Promise<void> {
  for (const char of whole) {
    response.write(char);
    await new Promise(setImmediate);
  }
  response.end();
}
