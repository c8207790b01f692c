import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { serverCertificate } from "../../src/gateway/certificate.ts";
import { createResolve } from "../../src/gateway/resolve.ts";
import { createCheckedFetch, NotAnsweredError, type ResolveAllowed } from "../../src/vaults/checked-fetch.ts";

/** Counts connections: what must not be asked must not be connected to either. */
let port: number;
let connections: number;
let answers: (socket: Socket) => void;
let close: () => Promise<unknown>;

beforeEach(async () => {
  connections = 0;
  answers = (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => undefined);
    socket.once("data", () => answers(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
  close = async () => {
    server.close();
    await once(server, "close");
  };
});
afterEach(() => close());

const post = (url: string, resolve: ResolveAllowed, signal = AbortSignal.timeout(10_000)) =>
  createCheckedFetch({ resolve })({ method: "POST", url, headers: {}, body: "secret" }, signal);
const publicOnly = createResolve({ servers: [], allowedNetworks: [] });
const here: ResolveAllowed = async () => ["127.0.0.1"];

describe("a request to a server that somebody named", () => {
  it.each(["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"])(
    "is not made to %s",
    async (host) => {
      await expect(post(`https://${host}:${port}/`, publicOnly)).rejects.toThrow(NotAnsweredError);
      await expect(post(`http://${host}:${port}/`, publicOnly)).rejects.toThrow(NotAnsweredError);
      expect(connections).toBe(0);
    },
  );

  it("goes to the address that was checked, and its name is looked up no second time", async () => {
    let lookups = 0;
    const answer = await post(`http://rebinding.example.com:${port}/`, async () => {
      lookups += 1;
      return lookups === 1 ? ["127.0.0.1"] : ["10.0.0.1"];
    });
    expect(answer.status).toBe(200);
    answer.end();
    expect([lookups, connections]).toEqual([1, 1]);
  });

  it("is not made by http to another machine, even where some of its addresses are of this one", async () => {
    const both: ResolveAllowed = async () => ["127.0.0.1", "192.0.2.1"];
    await expect(post(`http://example.com:${port}/`, both)).rejects.toThrow("only https is used");
    expect(connections).toBe(0);
  });

  it.each(["ftp://example.com/", "file:///etc/passwd", "example.com", "https://name:word@example.com/"])(
    "is not made to %s",
    async (url) => {
      await expect(post(url, here)).rejects.toThrow(NotAnsweredError);
      expect(connections).toBe(0);
    },
  );

  it("is not sent to a server that can't prove its name", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const cert = serverCertificate(
      { commonName: "Nobody", privateKey, publicKey },
      "mcp.example.com",
      publicKey,
      3_600_000,
    );
    const asked: string[] = [];
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    const server = createHttpsServer({ key, cert }, (request, response) => {
      asked.push(request.url ?? "");
      response.end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port: https } = server.address() as AddressInfo;
    await expect(post(`https://mcp.example.com:${https}/`, here)).rejects.toThrow(NotAnsweredError);
    expect(asked).toEqual([]);
    server.close();
    await once(server, "close");
  });

  it("ends with its signal, before the answer and in the middle of it", async () => {
    for (const text of ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"]) {
      const stopping = new AbortController();
      answers = (socket) => {
        socket.write(text);
        if (text === "") stopping.abort(new Error("stop"));
      };
      const read = async () => {
        const answer = await post(`http://127.0.0.1:${port}/`, here, stopping.signal);
        for await (const chunk of answer.body) stopping.abort(new Error(`stop after ${chunk.byteLength}`));
      };
      await expect(read()).rejects.toThrow(text === "" ? "stop" : "stop after 4");
    }
  });
});
