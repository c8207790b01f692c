import type pg from "pg";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { createDatabase } from "../../src/database.ts";
import { createScrubbers } from "../../src/gateway/scrub.ts";
import type { Destination } from "../../src/gateway/destination.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../../src/gateway/gateway.ts";
import { createGatewayRequestStore, type GatewayRequestStore } from "../../src/gateway/gateway-request-store.ts";
import type { SandboxPolicy } from "../../src/gateway/sandbox-policy.ts";
import { type DnsServer, startDnsServer } from "../fakes/dns-server.ts";
import { createTestDatabase } from "./database.ts";
import { SILENT } from "./silent-log.ts";

/** Where servers stand that sandboxes may reach; 127.0.0.1 is private as ever. */
export const REACHABLE = "127.0.0.2";

export interface Answer {
  status: number;
  statusText: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A sandbox as the gateway sees it: a socket, and what may pass there. */
export interface RigSlot {
  readonly id: string;
  readonly socketPath: string;
  /** Holds from the next request; null for a sandbox that belongs to nobody. */
  policy: SandboxPolicy | null;
  /** Plain http through the proxy. */
  get(url: string, options?: { method?: string; headers?: Record<string, string>; body?: string }): Promise<Answer>;
  /** `socket` is open when the answer is 200. */
  tunnel(target: string): Promise<Answer & { socket: Socket }>;
  /** Writes bytes, and reads until the gateway ends the connection. */
  raw(bytes: string | Buffer): Promise<string>;
  open(): Promise<Socket>;
  rows(): Promise<Row[]>;
}

export interface Row {
  method: string;
  host: string;
  path: string | null;
  decision: string;
  rule: string;
  status: number | null;
  bytes_out: string;
  bytes_in: string;
}

/** A real gateway on real sockets, with a DNS server and a database of its own. */
export async function openGatewayRig(options: Partial<GatewayOptions> = {}) {
  const root = await mkdtemp(path.join(tmpdir(), "gw-"));
  const testDatabase = await createTestDatabase();
  const { pool, close } = createDatabase(testDatabase.url, () => undefined);
  const dns: DnsServer = await startDnsServer();
  const slots = new Map<string, RigSlot>();
  const accepted: Destination[] = [];
  const requests: GatewayRequestStore = createGatewayRequestStore(pool);
  let lookups = 0;

  const start = (): Promise<Gateway> =>
    startGateway({
      root,
      policies: {
        async find(id) {
          lookups++;
          return slots.get(id)?.policy ?? null;
        },
      },
      interceptor: {
        accept(socket, head, destination) {
          accepted.push(destination);
          socket.end(`intercepted ${head.length}`);
        },
        stop: async () => {},
      },
      scrubberFor: createScrubbers(),
      requests,
      dnsServers: [dns.address],
      allowedNetworks: [`${REACHABLE}/32`],
      packageHosts: [],
      log: SILENT,
      ...options,
      limits: {
        requestsPerMinute: 100_000,
        bytesPerHour: 1e12,
        headersTimeoutMs: 1_000,
        recheckMs: 50,
        ...options.limits,
      },
    });
  let gateway = await start();

  return {
    root,
    dns,
    pool,
    requests,
    accepted,
    lookups: () => lookups,
    async restart() {
      await gateway.stop();
      gateway = await start();
    },
    /** A directory as a worker makes it. Resolves when the gateway serves it. */
    async addSlot(
      allowedHosts: readonly string[] | "unrestricted",
      more: Partial<SandboxPolicy> = {},
    ): Promise<RigSlot> {
      const id = randomBytes(16).toString("hex");
      const networking =
        allowedHosts === "unrestricted"
          ? ({ type: "unrestricted" } as const)
          : { type: "limited" as const, allowedHosts, packageManagers: false };
      const slot = slotAt(root, id, pool, {
        workspaceId: "wrkspc_1",
        sessionId: `sesn_${id}`,
        networking,
        variables: [],
        repositories: [],
        ...more,
      });
      slots.set(id, slot);
      await mkdir(path.join(root, id));
      await until(() =>
        stat(slot.socketPath).then(
          () => true,
          () => false,
        ),
      );
      return slot;
    },
    async removeSlot({ id, socketPath }: RigSlot) {
      await rm(path.join(root, id), { recursive: true });
      await until(() =>
        stat(socketPath).then(
          () => false,
          () => true,
        ),
      );
    },
    async close() {
      await gateway.stop();
      await close();
      await testDatabase.drop();
      await dns.stop();
      await rm(root, { recursive: true });
    },
  };
}

export type GatewayRig = Awaited<ReturnType<typeof openGatewayRig>>;

/** Polls what has no event to wait for. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(5);
}

function slotAt(root: string, id: string, pool: pg.Pool, policy: SandboxPolicy): RigSlot {
  const socketPath = path.join(root, id, "gateway.sock");
  const open = async () => {
    const socket = connect(socketPath);
    await once(socket, "connect");
    return socket;
  };
  return {
    id,
    socketPath,
    policy,
    open,
    async get(url, { method = "GET", headers = {}, body } = {}) {
      const request = httpRequest({
        socketPath,
        path: url,
        method,
        agent: false,
        headers: { Host: URL.parse(url)?.host ?? "", ...headers },
      });
      request.end(body);
      const [response] = await once(request, "response");
      return {
        status: response.statusCode,
        statusText: response.statusMessage,
        headers: response.headers,
        body: await text(response),
      };
    },
    async tunnel(target) {
      const request = httpRequest({ socketPath, path: target, method: "CONNECT", agent: false });
      request.end();
      const [response, socket, head] = await once(request, "connect");
      if (response.statusCode === 200) socket.unshift(head);
      const refused = response.statusCode === 200 ? "" : head.toString() + (await text(socket));
      return {
        status: response.statusCode,
        statusText: response.statusMessage,
        headers: response.headers,
        body: refused,
        socket,
      };
    },
    async raw(bytes) {
      const socket = await open();
      socket.on("error", () => {});
      socket.write(bytes);
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
      if (!socket.closed) await new Promise((resolve) => void socket.once("close", resolve));
      return Buffer.concat(chunks).toString("latin1");
    },
    async rows() {
      const { rows } = await pool.query<Row>(
        "SELECT method, host, path, decision, rule, status, bytes_out, bytes_in FROM gateway_requests WHERE session_id = $1 ORDER BY id",
        [`sesn_${id}`],
      );
      return rows;
    },
  };
}
