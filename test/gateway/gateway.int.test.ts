import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/secrets/secret.ts";
import { type GatewayRig, openGatewayRig, REACHABLE, until } from "../support/gateway-rig.ts";
import { createTestAuthority } from "../support/test-authority.ts";

const SECURE_HOST = "secure.example.com";
const authority = createTestAuthority();
const SECRET = "real-value";
const STORED = `key ${SECRET} ${Buffer.from(`u:${SECRET}`).toString("base64")}`;

let rig: GatewayRig;
let plain: Server;
let secure: ReturnType<typeof createSecureServer>;
/** As servers got them. */
const seen: IncomingMessage[] = [];
const portOf = (server: { address(): AddressInfo | string | null }) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  rig = await openGatewayRig();
  plain = createServer((request, response) => {
    seen.push(request);
    if (request.url === "/redirect") response.writeHead(302, { location: "http://denied.example.com/" }).end();
    else if (request.method === "POST") request.pipe(response);
    else if (request.url === "/stored") showStored(response);
    else if (request.url === "/stored.gz") {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(STORED));
    } else if (request.url === "/stored.own") response.writeHead(200, { "content-encoding": "own" }).end(STORED);
    else response.setHeader("x-path", request.url ?? "").end(`hello ${request.headers.host}`);
  }).listen(0, REACHABLE);
  secure = createSecureServer(authority.serverOptions(SECURE_HOST), (request, response) => {
    response.end(`secure ${request.headers.host}`);
  }).listen(0, REACHABLE);
  await Promise.all([once(plain, "listening"), once(secure, "listening")]);
  for (const name of ["plain.example.com", SECURE_HOST, "other.example.com", "denied.example.com"])
    rig.dns.set(name, [REACHABLE]);
});
afterAll(async () => {
  plain.closeAllConnections();
  secure.closeAllConnections();
  plain.close();
  secure.close();
  await rig.close();
});

/** A piece at a time, the first of which ends within the secret. */
function showStored(response: ServerResponse): void {
  response.setHeader("x-stored", SECRET).write(STORED.slice(0, 8), () => response.end(STORED.slice(8)));
}

const plainHost = () => `plain.example.com:${portOf(plain)}`;
const secureHost = () => `${SECURE_HOST}:${portOf(secure)}`;
const withSecret = (hosts = [plainHost()]) => ({
  variables: [
    {
      credentialId: "vcrd_1",
      placeholder: "placeholder_1",
      secret: new Secret(SECRET),
      hosts,
      inHeaders: true,
      inBody: true,
    },
  ],
});
const here = () => rig.addSlot([plainHost(), secureHost()]);

describe("plain http", () => {
  it("reaches an allowed host, with the host of the URL whatever `Host` says, and without what is meant for the proxy", async () => {
    const slot = await here();
    const answer = await slot.get(`http://${plainHost()}/a%2Fb/../c?q=1`, {
      headers: {
        Host: "other.example.com",
        "Proxy-Authorization": "Basic x",
        Connection: "X-Hop",
        "X-Hop": "1",
        "X-End": "2",
      },
    });
    expect(answer).toMatchObject({ status: 200, body: `hello ${plainHost()}` });
    const { headers, url } = seen.at(-1) ?? { headers: {}, url: "" };
    expect(url).toBe("/a%2Fb/../c?q=1");
    expect(headers).toMatchObject({ host: plainHost(), "x-end": "2" });
    expect(Object.keys(headers).filter((name) => name.startsWith("proxy") || name === "x-hop")).toEqual([]);
    await until(async () => (await slot.rows()).length === 1);
    expect(await slot.rows()).toMatchObject([
      {
        method: "GET",
        host: "plain.example.com",
        path: "/a%2Fb/../c",
        decision: "allow",
        rule: "allowed_hosts",
        status: 200,
      },
    ]);
  });

  it("gets a redirect to look at for itself, so that following it is a request like any other", async () => {
    const slot = await here();
    const first = await slot.get(`http://${plainHost()}/redirect`);
    expect(first).toMatchObject({ status: 302, headers: { location: "http://denied.example.com/" } });
    expect((await slot.get(first.headers.location ?? "")).status).toBe(403);
  });

  it("streams both ways: an answer begins before its request has ended", async () => {
    const slot = await here();
    const socket = await slot.open();
    const body = "x".repeat(100_000);
    socket.write(
      `POST http://${plainHost()}/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`,
    );
    let received = "";
    socket.on("data", (chunk: Buffer) => void (received += chunk.toString()));
    await until(() => received.includes("first"));
    socket.write(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    await until(() => received.endsWith("0\r\n\r\n"));
    expect(received.length).toBeGreaterThan(100_000);
    socket.destroy();
    await until(async () => (await slot.rows()).length === 1);
    expect(await slot.rows()).toMatchObject([{ bytes_out: "100005", bytes_in: "100005" }]);
  });

  it("in a tunnel, as some clients send it, is looked at request by request", async () => {
    const slot = await here();
    const { socket, status } = await slot.tunnel(plainHost());
    expect(status).toBe(200);
    socket.write(
      `GET /one HTTP/1.1\r\nHost: ${plainHost()}\r\n\r\nGET /two HTTP/1.1\r\nHost: other.example.com\r\nConnection: close\r\n\r\n`,
    );
    const answers = await text(socket);
    expect(answers).toMatch(
      /^HTTP\/1.1 200 OK[^]*x-path: \/one[^]*HTTP\/1.1 403 [^]*x-deckhand-denied: name_mismatch/i,
    );
    expect(seen.at(-1)?.url).toBe("/one");
  });

  it("may offer HTTP/2, but not become a WebSocket", async () => {
    const slot = await here();
    const upgrade = (to: string) =>
      slot.get(`http://${plainHost()}/`, { headers: { Connection: "Upgrade", Upgrade: to } });
    expect(await upgrade("h2c")).toMatchObject({ status: 200 });
    expect(seen.at(-1)?.headers.upgrade).toBeUndefined();
    expect(await upgrade("websocket")).toMatchObject({ status: 403, headers: { "x-deckhand-denied": "upgrade" } });
  });

  it("never carries a secret", async () => {
    const slot = await rig.addSlot([plainHost()], withSecret());
    expect(
      (await slot.get(`http://${plainHost()}/`, { headers: { Authorization: "Bearer placeholder_1" } })).status,
    ).toBe(200);
    expect(seen.at(-1)?.headers.authorization).toBe("Bearer placeholder_1");
    const { socket } = await slot.tunnel(plainHost());
    socket.write(`GET / HTTP/1.1\r\nHost: ${plainHost()}\r\nX-Key: placeholder_1\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toContain("200 OK");
    expect(seen.at(-1)?.headers["x-key"]).toBe("placeholder_1");
  });

  it.each(["limited", "unrestricted"] as const)(
    "shows no secret that its host was given over https, under %s networking",
    async (networking) => {
      const slot = await rig.addSlot(networking === "limited" ? [plainHost()] : networking, withSecret());
      const stored = await slot.get(`http://${plainHost()}/stored`, {
        headers: { "Accept-Encoding": "gzip", Range: "bytes=4-6" },
      });
      expect(stored).toMatchObject({ status: 200, headers: { "x-stored": "*".repeat(SECRET.length) } });
      expect(stored.body).toMatch(/^key \*{10} .*\*{10}/);
      expect(seen.at(-1)?.headers).toMatchObject({ "accept-encoding": "identity" });
      expect(seen.at(-1)?.headers.range).toBeUndefined();
      expect(await slot.get(`http://${plainHost()}/stored.gz`)).toMatchObject({ status: 200, body: stored.body });
      expect(await slot.get(`http://${plainHost()}/stored.own`)).toMatchObject({ status: 502 });
      const { socket } = await slot.tunnel(plainHost());
      await new Promise<void>((resolve) => void socket.write("GE", () => resolve()));
      socket.write(`T /stored HTTP/1.1\r\nHost: ${plainHost()}\r\nConnection: close\r\n\r\n`);
      const answer = await text(socket);
      expect(answer).toMatch(/200 OK[^]*key \*{10} /);
      expect(answer).not.toContain(SECRET);
    },
  );

  it("is passed on as it is where the host has no secret", async () => {
    const slot = await rig.addSlot("unrestricted", withSecret(["other.example.com"]));
    const headers = { "Accept-Encoding": "gzip", Range: "bytes=4-6" };
    const stored = await slot.get(`http://${plainHost()}/stored`, { headers });
    expect(stored).toMatchObject({ body: STORED, headers: { "x-stored": SECRET } });
    expect(seen.at(-1)?.headers).toMatchObject({ "accept-encoding": "gzip", range: "bytes=4-6" });
    expect(await slot.get(`http://${plainHost()}/stored.own`)).toMatchObject({ status: 200, body: STORED });
  });
});

describe("a denial", () => {
  it("names host and rule in status, header and body, and its row is there before it is read", async () => {
    const slot = await here();
    const since = new Date(Date.now() - 60_000);
    const answer = await slot.get("http://denied.example.com/secret?token=1");
    expect(await slot.rows()).toMatchObject([
      {
        method: "GET",
        host: "denied.example.com",
        path: "/secret",
        decision: "deny",
        rule: "host_not_allowed",
        status: 403,
      },
    ]);
    expect(answer).toMatchObject({ status: 403, headers: { "x-deckhand-denied": "host_not_allowed" } });
    expect(answer.statusText).toContain("denied.example.com is not allowed");
    expect(JSON.parse(answer.body).error).toMatchObject({ host: "denied.example.com", rule: "host_not_allowed" });

    const tunnel = await slot.tunnel("denied.example.com:443");
    expect(tunnel).toMatchObject({ status: 403, headers: { "x-deckhand-denied": "host_not_allowed" } });
    expect(tunnel.statusText).toContain("denied.example.com is not allowed");
    const denials = await rig.requests.deniedSince(`sesn_${slot.id}`, since);
    expect(denials).toMatchObject([{ method: "GET" }, { method: "CONNECT", host: "denied.example.com", port: 443 }]);
    expect(await rig.requests.deniedSince(`sesn_${slot.id}`, new Date(Date.now() + 60_000))).toEqual([]);
    expect(rig.dns.asked("denied.example.com")).toBe(0);
  });

  it("holds when it can't be recorded", async () => {
    const broken = await openGatewayRig({ requests: { insert: () => Promise.reject(new Error("no database")) } });
    try {
      const slot = await broken.addSlot([plainHost()]);
      expect((await slot.get("http://denied.example.com/")).status).toBe(403);
      broken.dns.set("plain.example.com", [REACHABLE]);
      expect((await slot.get(`http://${plainHost()}/`)).status).toBe(200);
    } finally {
      await broken.close();
    }
  });

  it("is what a sandbox gets that belongs to nobody, from the next request on", async () => {
    const slot = await here();
    expect((await slot.get(`http://${plainHost()}/`)).status).toBe(200);
    slot.policy = null;
    expect(await slot.get(`http://${plainHost()}/`)).toMatchObject({
      status: 403,
      headers: { "x-deckhand-denied": "unknown_sandbox" },
    });
    expect((await slot.tunnel(secureHost())).status).toBe(403);
  });
});

describe("an address that is not public", () => {
  it.each<[host: string, answer: string[]]>([
    ["private.example.com", ["127.0.0.1"]],
    ["metadata.example.com", ["169.254.169.254"]],
    ["mixed.example.com", [REACHABLE, "10.0.0.1"]],
    ["mapped.example.com", ["::ffff:7f00:1"]],
    ["six.example.com", ["::1"]],
    ["nat64.example.com", ["64:ff9b::7f00:1"]],
    ["nat.example.com", ["100.64.0.1"]],
  ])("is not connected to for %s, at %j", async (host, answer) => {
    rig.dns.set(host, answer);
    const slot = await rig.addSlot("unrestricted");
    const port = portOf(plain);
    expect(await slot.get(`http://${host}:${port}/`)).toMatchObject({
      status: 403,
      headers: { "x-deckhand-denied": "private_address" },
    });
    expect(await slot.tunnel(`${host}:${port}`)).toMatchObject({
      status: 403,
      headers: { "x-deckhand-denied": "private_address" },
    });
    expect(await slot.rows()).toMatchObject([
      { rule: "private_address", decision: "deny" },
      { rule: "private_address", decision: "deny" },
    ]);
  });

  it("is not connected to in any spelling", async () => {
    const slot = await rig.addSlot("unrestricted");
    const spellings = [
      "127.0.0.1",
      "127.1",
      "0x7f000001",
      "2130706433",
      "0177.0.0.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "169.254.169.254",
    ];
    for (const host of spellings) {
      const answer = await slot.tunnel(`${host}:${portOf(plain)}`);
      expect([host, answer.headers["x-deckhand-denied"]]).toEqual([host, "private_address"]);
    }
  });

  it("is not connected to when a name has it the second time only, nor behind another name", async () => {
    const slot = await rig.addSlot("unrestricted");
    rig.dns.set("rebinding.example.com", (nth) => (nth === 0 ? [REACHABLE] : ["127.0.0.1"]));
    rig.dns.set("alias.example.com", { cname: "inside.example.com" });
    rig.dns.set("inside.example.com", ["127.0.0.1"]);
    const port = portOf(plain);
    expect((await slot.get(`http://rebinding.example.com:${port}/`)).body).toContain("hello");
    // Once for each family: what was checked is what was connected to.
    expect(rig.dns.asked("rebinding.example.com")).toBe(2);
    expect((await slot.tunnel(`rebinding.example.com:${port}`)).headers["x-deckhand-denied"]).toBe("private_address");
    expect((await slot.tunnel(`alias.example.com:${port}`)).headers["x-deckhand-denied"]).toBe("private_address");
  });

  it("is told from a name that nobody knows, and from a host that does not answer", async () => {
    const slot = await rig.addSlot("unrestricted");
    expect(await slot.tunnel("nobody.example.com:443")).toMatchObject({
      status: 502,
      body: expect.stringContaining("not known"),
    });
    expect(await slot.get(`http://${REACHABLE}:1/`)).toMatchObject({
      status: 502,
      body: expect.stringContaining("ECONNREFUSED"),
    });
  });
});

describe("a tunnel", () => {
  const request = (socket: Socket, servername: string, host = servername) => {
    const client = connectTls({
      socket,
      ca: authority.certificatePem,
      checkServerIdentity: () => undefined,
      ...(servername ? { servername } : {}),
    });
    client.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return text(client);
  };

  it("carries TLS to the host that was asked for, untouched", async () => {
    const slot = await here();
    const { socket } = await slot.tunnel(secureHost().toUpperCase().replace(":", ".:"));
    expect(await request(socket, SECURE_HOST)).toContain(`secure ${SECURE_HOST}`);
    await until(async () => (await slot.rows()).length === 1);
    const [row] = await slot.rows();
    expect(row).toMatchObject({ method: "CONNECT", path: null, decision: "allow", status: 200, host: SECURE_HOST });
    expect(Number(row?.bytes_in)).toBeGreaterThan(500);
    expect(Number(row?.bytes_out)).toBeGreaterThan(200);
  });

  it.each(["other.example.com", ""])("under limited networking is not for TLS that names %j", async (servername) => {
    const slot = await here();
    const { socket } = await slot.tunnel(secureHost());
    await expect(request(socket, servername, SECURE_HOST)).rejects.toThrow(/unrecognized name|alert/i);
    expect(await slot.rows()).toMatchObject([{ decision: "deny", rule: "name_mismatch" }]);
  });

  it("under limited networking carries neither other protocols nor a second proxy request", async () => {
    const slot = await here();
    const ssh = await slot.tunnel(secureHost());
    ssh.socket.write("SSH-2.0-OpenSSH_9.2\r\n");
    expect(await text(ssh.socket)).toContain("400 Bad Request");
    const nested = await slot.tunnel(secureHost());
    nested.socket.write("CONNECT denied.example.com:443 HTTP/1.1\r\nHost: denied.example.com\r\n\r\n");
    expect(await text(nested.socket)).toContain("400 Bad Request");
  });

  it("under unrestricted networking carries anything, keeps what comes after one side has ended, but no mail", async () => {
    const echo = createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.write("server speaks first\n");
      void text(socket).then((all) => socket.end(`got ${all.length}`));
    }).listen(0, REACHABLE);
    await once(echo, "listening");
    const slot = await rig.addSlot("unrestricted");
    const { socket } = await slot.tunnel(`${REACHABLE}:${portOf(echo)}`);
    socket.end("x".repeat(1_000_000));
    expect(await text(socket)).toBe("server speaks first\ngot 1000000");
    expect((await slot.tunnel("plain.example.com:25")).headers["x-deckhand-denied"]).toBe("port_not_allowed");
    echo.close();
  });

  it.each(["SSH-2.0-OpenSSH_9.2\r\n", "HELO x\r\n", "\0\0\0\b\u0004", "GET /stored\r\n"])(
    "carries nothing but https and http to a host that has a secret: not %j",
    async (bytes) => {
      const asked = seen.length;
      const slot = await rig.addSlot("unrestricted", withSecret());
      const { socket } = await slot.tunnel(plainHost());
      socket.write(bytes);
      const answer = await text(socket);
      expect(answer).toMatch(/^HTTP\/1.1 403 [^]*x-deckhand-denied: not_https[^]*nothing else goes to plain.example/i);
      expect(await slot.rows()).toMatchObject([
        { method: "CONNECT", decision: "deny", rule: "not_https", status: 403 },
      ]);
      expect(seen).toHaveLength(asked);
    },
  );

  it("ends when the policy does not allow it any more", async () => {
    const slot = await rig.addSlot("unrestricted");
    const { socket } = await slot.tunnel(secureHost());
    slot.policy = slot.policy && {
      ...slot.policy,
      networking: { type: "limited", allowedHosts: [], packageManagers: false },
    };
    expect(await text(socket).catch(() => "")).toBe("");
    expect(await slot.rows()).toMatchObject([{ method: "CONNECT", decision: "deny", rule: "host_not_allowed" }]);
  });

  it("that nobody looks into ends when its host is given a secret, which could come back through it", async () => {
    const slot = await here();
    const { socket } = await slot.tunnel(secureHost());
    const tls = connectTls({ socket, servername: SECURE_HOST, ca: authority.certificatePem });
    await once(tls, "secureConnect");
    const repository = { resourceId: "sesrsc_1", host: SECURE_HOST, port: portOf(secure), path: "/acme/site" };
    slot.policy = slot.policy && {
      ...slot.policy,
      repositories: [{ ...repository, token: new Secret("ghp_token123") }],
    };
    expect(await text(tls).catch(() => "")).toBe("");
    await until(async () => (await slot.rows()).length === 1);
    expect(await slot.rows()).toMatchObject([{ method: "CONNECT", decision: "allow" }]);
  });

  it("is handed over where a secret belongs to the host, and only TLS is", async () => {
    const repository = {
      resourceId: "sesrsc_1",
      host: SECURE_HOST,
      port: portOf(secure),
      path: "/acme/site",
      token: null,
    };
    const slot = await rig.addSlot([], { repositories: [repository] });
    const { socket, status } = await slot.tunnel(secureHost());
    expect(status).toBe(200);
    connectTls({ socket: socket.on("error", () => {}), servername: SECURE_HOST }).on("error", () => {});
    await until(() => rig.accepted.length === 1);
    const [destination] = rig.accepted;
    expect(destination).toMatchObject({ gatewayId: slot.id, host: SECURE_HOST, port: portOf(secure) });
    const admission = await destination?.admit({
      method: "GET",
      scheme: "https",
      path: "/acme/site/info/refs?service=git-upload-pack",
    });
    expect(admission?.policy).toBe(slot.policy);
    await expect(
      destination?.admit({ method: "GET", scheme: "https", path: "/acme/other/info/refs" }),
    ).rejects.toMatchObject({ status: 403, rule: "host_not_allowed" });
    expect(
      await destination?.refuse({ method: "GET", scheme: "https", path: "/" }, "name_mismatch", "Another host."),
    ).toMatchObject({ status: 403 });
    expect((await slot.rows()).map(({ rule }) => rule)).toEqual(["host_not_allowed", "name_mismatch"]);
    const refused = await slot.tunnel(secureHost());
    refused.socket.write(`GET /acme/site/info/refs HTTP/1.1\r\nHost: ${secureHost()}\r\nConnection: close\r\n\r\n`);
    expect(await text(refused.socket)).toContain("host_not_allowed");
    expect(rig.accepted).toHaveLength(1);
  });
});

describe("a session's limits", () => {
  it("turn requests away with 429, and a flood is one row", async () => {
    const small = await openGatewayRig({ limits: { requestsPerMinute: 3, bytesPerHour: 1e9 } });
    try {
      small.dns.set("plain.example.com", [REACHABLE]);
      const [slot, neighbour] = [await small.addSlot([plainHost()]), await small.addSlot([plainHost()])];
      const statuses: number[] = [];
      for (let i = 0; i < 8; i++) statuses.push((await slot.get(`http://${plainHost()}/`)).status);
      expect(statuses).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
      expect((await slot.rows()).filter(({ decision }) => decision === "deny")).toMatchObject([
        { rule: "request_limit", status: 429 },
      ]);
      expect(small.lookups()).toBe(3);
      expect((await neighbour.get(`http://${plainHost()}/`)).status).toBe(200);
    } finally {
      await small.close();
    }
  });

  it("cut a connection that moves more bytes than are left, and refuse the next", async () => {
    const small = await openGatewayRig({ limits: { requestsPerMinute: 1000, bytesPerHour: 100_000 } });
    try {
      small.dns.set("plain.example.com", [REACHABLE]);
      const slot = await small.addSlot("unrestricted");
      const { socket } = await slot.tunnel(plainHost());
      socket.on("error", () => {}).resume();
      socket.write("x".repeat(300_000));
      await new Promise((resolve) => void socket.once("close", resolve));
      expect(await slot.get(`http://${plainHost()}/`)).toMatchObject({
        status: 429,
        headers: { "x-deckhand-denied": "byte_limit" },
      });
      expect(await slot.rows()).toMatchObject([
        { method: "CONNECT", rule: "byte_limit" },
        { method: "GET", rule: "byte_limit" },
      ]);
    } finally {
      await small.close();
    }
  });
});
