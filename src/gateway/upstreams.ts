import { Agent } from "node:https";
import type { Duplex } from "node:stream";
import { connect, createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from "node:tls";
import { isIP } from "node:net";
import { type Destination, UnreachableError } from "./destination.ts";
import { formatHostAndPort } from "./host-pattern.ts";

const HANDSHAKE_TIMEOUT_MS = 15_000;
/** Less than the five seconds after which many servers close, so that a request seldom meets a closed connection. */
const IDLE_MS = 4_000;
const IDLE_CONNECTIONS_MAX = 8;

/** Connections to servers, kept for a while after use. None is ever used for another sandbox than it was made for. */
export interface Upstreams {
  /** To be released once, when the connection from the sandbox ends. */
  acquire(destination: Destination): { agent: Agent; release(): void };
  stop(): void;
}

interface Pool {
  agent: UpstreamAgent;
  users: number;
}

/** @param extraCa PEM of authorities that are trusted besides those that Node trusts */
export function createUpstreams(extraCa?: string): Upstreams {
  const secureContext = createSecureContext(extraCa ? { ca: [...getCACertificates("default"), extraCa] } : {});
  const pools = new Map<string, Pool>();

  return {
    acquire(destination) {
      const key = `${destination.gatewayId}/${formatHostAndPort(destination, 0)}`;
      const pool = pools.get(key) ?? { agent: new UpstreamAgent(secureContext), users: 0 };
      pools.set(key, pool);
      pool.users += 1;
      pool.agent.destination = destination;
      pool.agent.prepare();
      return {
        agent: pool.agent,
        release() {
          pool.users -= 1;
          setTimeout(() => {
            if (pool.users > 0 || pools.get(key) !== pool) return;
            pools.delete(key);
            pool.agent.destroy();
          }, IDLE_MS).unref();
        },
      };
    },

    stop() {
      for (const { agent } of pools.values()) agent.destroy();
      pools.clear();
    },
  };
}

class UpstreamAgent extends Agent {
  /** That of the connection which came last: all are from one sandbox to one host and port. */
  destination: Destination | null = null;
  readonly #secureContext: SecureContext;
  #session: Buffer | undefined;
  /** Made while the sandbox is still busy with its own side of the connection, for the first request that needs one. */
  #early: Promise<TLSSocket> | null = null;

  constructor(secureContext: SecureContext) {
    super({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS_MAX, timeout: IDLE_MS });
    this.#secureContext = secureContext;
  }

  /** Begins to connect, unless there is a connection to spare. What goes wrong is seen by the request that tries again. */
  prepare(): void {
    if (this.#early || Object.keys(this.freeSockets).length > 0) return;
    const early = this.#connect();
    this.#early = early;
    const forget = () => {
      if (this.#early === early) this.#early = null;
    };
    early.then((socket) => socket.once("close", forget), forget);
  }

  override createConnection(_: unknown, onSocket: (error: Error | null, socket?: Duplex) => void): undefined {
    const connecting = this.#early ?? this.#connect();
    this.#early = null;
    connecting.then(
      (socket) => onSocket(null, socket),
      (error: unknown) => onSocket(error instanceof Error ? error : new Error("The connection failed.")),
    );
  }

  override destroy(): void {
    void this.#early?.then((socket) => socket.destroy()).catch(() => undefined);
    this.#early = null;
    super.destroy();
  }

  async #connect(): Promise<TLSSocket> {
    const { destination } = this;
    if (!destination) throw new UnreachableError("The connection has no destination.");
    const { host } = destination;
    const secure = connect({
      socket: await destination.connect(),
      host,
      ...(isIP(host) === 0 && { servername: host }),
      ALPNProtocols: ["http/1.1"],
      secureContext: this.#secureContext,
      ...(this.#session && { session: this.#session }),
    });
    secure.on("session", (session: Buffer) => (this.#session = session));
    secure.on("error", () => secure.destroy()); // nobody else listens until a request has it
    try {
      await handshake(secure);
      return secure;
    } catch (error) {
      secure.destroy();
      throw new UnreachableError(`${host} can't be spoken to with TLS: ${codeOf(error)}.`, { cause: error });
    }
  }
}

async function handshake(secure: TLSSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error("timeout")), HANDSHAKE_TIMEOUT_MS);
  const onClose = () => reject(new Error("closed"));
  secure.once("secureConnect", resolve).once("error", reject).once("close", onClose);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    secure.removeListener("error", reject).removeListener("close", onClose);
  }
}

/** Names what failed, such as `CERT_HAS_EXPIRED`, and nothing of what was sent. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (typeof code === "string") return code;
  return error instanceof Error && error.message === "timeout" ? "it does not answer" : "it closed the connection";
}
