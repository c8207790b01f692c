import { once } from "node:events";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GatewayRig, openGatewayRig, REACHABLE, type RigSlot, until } from "../support/gateway-rig.ts";

let rig: GatewayRig;
let upstream: Server;
let neighbour: RigSlot;
const seen: string[] = [];

beforeAll(async () => {
  rig = await openGatewayRig();
  upstream = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url === "/slow") setTimeout(() => response.end("slow"), 300);
    else if (request.url !== "/hang") response.end("fine");
  }).listen(0, REACHABLE);
  await once(upstream, "listening");
  rig.dns.set("example.com", [REACHABLE]);
  neighbour = await rig.addSlot([host()]);
});
afterAll(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await rig.close();
});

const host = () => `example.com:${(upstream.address() as AddressInfo).port}`;
const expectFine = async (slot = neighbour) => expect((await slot.get(`http://${host()}/`)).body).toBe("fine");

describe("what comes over a sandbox's socket", () => {
  it.each<[name: string, request: () => string | Buffer, status: number]>([
    ["garbage", () => Buffer.from([0, 255, 254, 1, 2, 3, 13, 10, 13, 10]), 400],
    ["TLS without CONNECT", () => Buffer.from("16030100a5010000a10303", "hex"), 400],
    ["HTTP/0.9", () => "GET /\r\n\r\n", 400],
    ["HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["no proxy request", () => "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", 400],
    [
      "https without a tunnel",
      () => "GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n",
      400,
    ],
    ["CONNECT without a port", () => "CONNECT example.com HTTP/1.1\r\nHost: example.com\r\n\r\n", 400],
    ["CONNECT to no host", () => "CONNECT exa%6dple.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", 400],
    ["a backslash before the host", () => post("\\@evil.example.com", ""), 400],
    ["huge headers", () => `GET http://${host()}/ HTTP/1.1\r\nX: ${"x".repeat(100_000)}\r\n\r\n`, 431],
    ["two lengths", () => post("", "Content-Length: 4\r\nContent-Length: 30\r\n"), 400],
    ["a length and chunks", () => post("", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"), 400],
    ["two codings", () => post("", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400],
    ["a coding in disguise", () => post("", "Transfer-Encoding: \vchunked\r\n"), 400],
    ["a space before the colon", () => post("", "Content-Length : 4\r\n"), 400],
    ["a folded header", () => post("", "X: 1\r\n Transfer-Encoding: chunked\r\n"), 400],
    ["a bare line feed", () => post("", "X: 1\nTransfer-Encoding: chunked\r\n"), 400],
    [
      "a chunk that lies",
      () => `${post("", "Transfer-Encoding: chunked\r\n")}zz\r\nGET /smuggled HTTP/1.1\r\n\r\n`,
      400,
    ],
  ])("%s is refused, and reaches no server as a second request", async (_, request, status) => {
    const slot = await rig.addSlot([host()]);
    expect(await slot.raw(request())).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(seen.filter((line) => line.includes("smuggled"))).toEqual([]);
    await expectFine();
  });

  it("is answered in the order it was asked for", async () => {
    const slot = await rig.addSlot([host()]);
    const one = (name: string, more = "") => `GET http://${host()}/${name} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
    const answers = await slot.raw(one("slow") + one("fast") + one("last", "Connection: close\r\n"));
    expect(answers.match(/slow|fine/g)).toEqual(["slow", "fine", "fine"]);
  });

  it("is cut when a CONNECT comes before the request ahead of it is answered", async () => {
    const slot = await rig.addSlot([host()]);
    const connect = "CONNECT denied.example.com:443 HTTP/1.1\r\nHost: denied.example.com\r\n\r\n";
    expect(await slot.raw(`GET http://${host()}/slow HTTP/1.1\r\nHost: x\r\n\r\n${connect}`)).toBe("");
    await expectFine(slot);
  });

  it("may not wait: headers that drip in, or never come, end the connection", async () => {
    const slot = await rig.addSlot([host()]);
    const [dripping, silent] = [await slot.open(), await slot.open()];
    const drip = setInterval(() => dripping.writable && dripping.write("X: 1\r\n"), 50);
    dripping.on("error", () => {}).write(`GET http://${host()}/ HTTP/1.1\r\n`);
    const answers = await Promise.all([dripping, silent].map(closed));
    clearInterval(drip);
    expect(answers[0]).toMatch(/^HTTP\/1.1 408 |^$/);
    await expectFine();
  });

  it("may be 2,000 connections, of which 256 are kept and no other sandbox notices", async () => {
    const slot = await rig.addSlot([host()]);
    // Beyond what the system lets wait, it refuses by itself.
    const opened = await Promise.allSettled(Array.from({ length: 2000 }, () => slot.open().then(closing)));
    const sockets = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    for (const { socket } of sockets) {
      if (socket.writable) socket.write(`GET http://${host()}/hang HTTP/1.1\r\nHost: x\r\n\r\n`);
    }
    await until(() => sockets.filter(({ isClosed }) => !isClosed()).length === 256);
    await until(() => seen.filter((line) => line.endsWith("/hang")).length === 256);
    await expectFine();
    for (const { socket } of sockets) socket.destroy();
    await until(() =>
      expectFine(slot).then(
        () => true,
        () => false,
      ),
    );
  });

  it("may be a pipeline without end, which ends the connection", async () => {
    const slot = await rig.addSlot([host()]);
    const answers = await slot.raw(`GET http://${host()}/slow HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(200));
    expect(answers.match(/200 OK/g)?.length ?? 0).toBeLessThan(64);
    await expectFine();
  });
});

describe("a sandbox's socket", () => {
  it("is one that any user can connect to, and appears with the directory", async () => {
    const slot = await rig.addSlot([host()]);
    const { mode } = await stat(slot.socketPath);
    expect(mode & 0o777).toBe(0o666);
    await expectFine(slot);
  });

  it("is served again when it was lost", async () => {
    const slot = await rig.addSlot([host()]);
    await rm(slot.socketPath);
    await until(() =>
      expectFine(slot).then(
        () => true,
        () => false,
      ),
    );
  });

  it("ends with its directory, and what is open on it too", async () => {
    const slot = await rig.addSlot([host()]);
    const { socket } = await slot.tunnel(host());
    socket.on("error", () => {}).resume();
    await rig.removeSlot(slot);
    await closed(socket);
    await expect(slot.open()).rejects.toThrow(/ENOENT/);
    await expectFine();
  });

  it("works after a restart of the gateway, in place of a stale one", async () => {
    const slot = await rig.addSlot([host()]);
    await rig.restart();
    await expectFine(slot);
    await rm(slot.socketPath);
    await writeFile(slot.socketPath, "no socket");
    await rig.restart();
    await expectFine(slot);
  });

  it("is left alone by a gateway that stops after another one has taken over", async () => {
    const other = await openGatewayRig({
      root: rig.root,
      policies: { find: async (id) => (id === neighbour.id ? neighbour.policy : null) },
    });
    const { ino } = await stat(neighbour.socketPath);
    await rig.restart();
    expect((await stat(neighbour.socketPath)).ino).not.toBe(ino);
    await other.close();
    await expectFine();
  });

  it("is only in directories that are named as slots are", async () => {
    await mkdir(path.join(rig.root, "not-a-slot"));
    await rig.addSlot([]);
    await expect(stat(path.join(rig.root, "not-a-slot", "gateway.sock"))).rejects.toThrow(/ENOENT/);
  });

  it("lets what is under way end when the gateway stops", async () => {
    const slot = await rig.addSlot([host()]);
    const answer = slot.get(`http://${host()}/slow`);
    const asked = seen.length;
    await until(() => seen.length > asked);
    await rig.restart();
    expect((await answer).body).toBe("slow");
    await until(async () => (await slot.rows()).length === 1);
  });
});

const post = (afterHost: string, headers: string) =>
  `POST http://${host()}${afterHost}/ HTTP/1.1\r\nHost: example.com\r\n${headers}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n`;

const closed = async (socket: Socket): Promise<string> => (socket.closed ? "" : text(socket).catch(() => ""));

function closing(socket: Socket): { socket: Socket; isClosed: () => boolean } {
  socket.on("error", () => {}).resume();
  return { socket, isClosed: () => socket.closed };
}
