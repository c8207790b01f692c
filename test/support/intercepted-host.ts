import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { type Authority, openAuthority } from "../../src/gateway/authority.ts";
import { DeniedError, type Destination, type RequestLine } from "../../src/gateway/destination.ts";
import { createInterceptor } from "../../src/gateway/intercept.ts";
import { createScrubbers } from "../../src/gateway/scrub.ts";
import type { RepositorySecret, SandboxPolicy, VariableSecret } from "../../src/gateway/sandbox-policy.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { SILENT } from "./silent-log.ts";
import { createTestAuthority, type TestAuthority } from "./test-authority.ts";

export const HOST = "api.example.com";

/** An upstream with real TLS behind the real interceptor; only what decides and dials is the test's. */
export interface InterceptedHost {
  authority: Authority;
  /** Holds from the next request. */
  policy: { variables: VariableSecret[]; repositories: RepositorySecret[] };
  refused: { line: RequestLine; rule: string }[];
  admitted: RequestLine[];
  finished: { status: number | null; credentialIds?: readonly string[] }[];
  counted: { in: number; out: number };
  /** Connections that were made to the upstream. */
  dialed(): number;
  /** As it is after CONNECT was answered. */
  connect(): Promise<net.Socket>;
  /** With TLS that trusts the gateway, and names the host unless told otherwise. */
  secure(options?: tls.ConnectionOptions): Promise<tls.TLSSocket>;
  /** Sends bytes, and everything that comes until the connection ends. */
  exchange(bytes: string | Buffer): Promise<string>;
  close(): Promise<void>;
}

interface Options {
  upstream: RequestListener;
  host?: string;
  /** What the interceptor trusts; the upstream's authority when absent. */
  trusts?: TestAuthority;
  /** From which the upstream has its certificate. */
  certifiedFor?: string;
}

export async function interceptedHost({ upstream, host = HOST, trusts, certifiedFor = host }: Options) {
  const theirs = createTestAuthority();
  const server = createServer(theirs.serverOptions(certifiedFor), upstream);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const authority = await memoryAuthority();
  const interceptor = createInterceptor({
    authority,
    scrubberFor: createScrubbers(),
    log: SILENT,
    upstreamCa: (trusts ?? theirs).certificatePem,
  });
  const policy: InterceptedHost["policy"] = { variables: [], repositories: [] };
  const seen: Pick<InterceptedHost, "refused" | "admitted" | "finished" | "counted"> = {
    refused: [],
    admitted: [],
    finished: [],
    counted: { in: 0, out: 0 },
  };
  let dialed = 0;
  const destination: Destination = {
    gatewayId: "a1",
    host,
    port: 443,
    async admit(line) {
      seen.admitted.push(line);
      const now: SandboxPolicy = {
        workspaceId: "default",
        sessionId: "sesn_1",
        networking: { type: "unrestricted" },
        variables: [...policy.variables],
        repositories: [...policy.repositories],
      };
      return {
        policy: now,
        count: (direction, bytes) => void (seen.counted[direction] += bytes),
        finish: (end) => void seen.finished.push(end),
      };
    },
    async refuse(line, rule, message) {
      seen.refused.push({ line, rule });
      return new DeniedError(message, { host, rule });
    },
    async connect() {
      dialed += 1;
      const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
      await once(socket, "connect");
      return socket.setNoDelay();
    },
  };
  const front = net.createServer((socket) => interceptor.accept(socket.setNoDelay(), Buffer.alloc(0), destination));
  front.listen(0, "127.0.0.1");
  await once(front, "listening");

  const connect = async () => {
    const socket = net.connect((front.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    return socket.setNoDelay();
  };
  const secure = async (options: tls.ConnectionOptions = {}) => {
    const names = net.isIP(host) === 0 ? { servername: host } : { host };
    const socket = tls.connect({ socket: await connect(), ca: authority.certificatePem, ...names, ...options });
    await once(socket, "secureConnect");
    return socket;
  };
  const result: InterceptedHost = {
    authority,
    policy,
    ...seen,
    dialed: () => dialed,
    connect,
    secure,
    async exchange(bytes) {
      const socket = await secure();
      socket.write(bytes);
      return textOf(socket);
    },
    async close() {
      await interceptor.stop();
      front.close();
      server.closeAllConnections();
      server.close();
    },
  };
  return result;
}

/** All that comes, as Latin-1. A connection that is cut counts as ended. */
export async function textOf(socket: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of socket) parts.push(part);
  } catch {
    // What came before is what the test looks at.
  }
  return Buffer.concat(parts).toString("latin1");
}

/** A credential with a value and a placeholder. */
export function variable(value: string, over: Partial<VariableSecret> = {}): VariableSecret {
  return {
    credentialId: "cred_1",
    placeholder: "deckhand_placeholder_0123456789012345678901234567890123456789",
    secret: new Secret(value),
    hosts: [HOST],
    inHeaders: true,
    inBody: true,
    ...over,
  };
}

export async function memoryAuthority(): Promise<Authority> {
  let stored: Awaited<ReturnType<Parameters<typeof openAuthority>[0]["find"]>> = null;
  const plain = async (bytes: Uint8Array) => Buffer.from(bytes);
  const store = {
    find: async () => stored,
    insert: async (authority: NonNullable<typeof stored>) => void (stored ??= authority),
  };
  return openAuthority(store, { encrypt: plain, decrypt: plain });
}
