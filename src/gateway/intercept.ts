import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import type { Logger } from "../log.ts";
import type { Authority } from "./authority.ts";
import type { Destination } from "./destination.ts";
import { parseHostAndPort } from "./host-pattern.ts";
import { createInterceptedServer } from "./intercepted-server.ts";
import type { Scrubbers } from "./scrub.ts";
import { createUpstreams } from "./upstreams.ts";

const HTTPS_PORT = 443;
const HANDSHAKE_TIMEOUT_MS = 15_000;
/** What OpenSSL makes of a client that gives no name, as there is no certificate for it: in TLS 1.3, and before. */
const NAMELESS: readonly unknown[] = ["ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM", "ERR_SSL_NO_SHARED_CIPHER"];

/** Speaks for hosts that have a secret: puts it into requests, and takes it out of what comes back. */
export interface Interceptor {
  /**
   * Takes over a connection for which CONNECT was answered with 200.
   * @param head what came after the request already
   */
  accept(socket: Duplex, head: Buffer, destination: Destination): void;
  /** Ends all connections. */
  stop(): Promise<void>;
}

interface Dependencies {
  authority: Pick<Authority, "contextFor">;
  scrubberFor: Scrubbers;
  log: Logger;
  /** PEM of authorities whose certificates servers may have, besides those that Node trusts. */
  upstreamCa?: string;
}

export function createInterceptor({ authority, scrubberFor, log, upstreamCa }: Dependencies): Interceptor {
  const upstreams = createUpstreams(upstreamCa);
  const server = createInterceptedServer(scrubberFor, log);
  const open = new Set<TLSSocket>();

  async function refuseName(destination: Destination): Promise<void> {
    const message = `TLS has to name ${destination.host}, to which the connection is.`;
    try {
      await destination.refuse({ method: "CONNECT", scheme: "tcp", path: null }, "name_mismatch", message);
    } catch (error) {
      log.error({ err: error, gatewayId: destination.gatewayId }, "a denial could not be recorded");
    }
  }

  return {
    accept(socket, head, destination) {
      if (head.length > 0) socket.unshift(head);
      let recorded = false;
      const onWrongName = () => {
        recorded = true;
        return refuseName(destination);
      };
      const secure = secured(socket, authority, destination, onWrongName);
      open.add(secure);
      const timer = setTimeout(() => secure.destroy(), HANDSHAKE_TIMEOUT_MS);
      const { agent, release } = upstreams.acquire(destination);
      secure.once("close", () => {
        clearTimeout(timer);
        open.delete(secure);
        release();
        socket.destroy();
      });
      secure.on("error", (error) => {
        if ("code" in error && NAMELESS.includes(error.code) && !recorded) void onWrongName();
        secure.destroy();
      });
      socket.on("error", () => secure.destroy());
      secure.once("secure", () => {
        clearTimeout(timer);
        server.serve(secure, { destination, agent });
      });
    },

    async stop() {
      for (const secure of open) secure.destroy();
      upstreams.stop();
    },
  };
}

/** Has no certificate, so that OpenSSL ends a handshake with an alert which gets no other context. */
const nobody = createSecureContext();

function secured(
  socket: Duplex,
  authority: Pick<Authority, "contextFor">,
  { host }: Destination,
  onWrongName: () => Promise<void>,
): TLSSocket {
  const context = authority.contextFor(host);
  return new TLSSocket(socket, {
    isServer: true,
    // Of an address TLS gives no name.
    secureContext: isIP(host) === 0 ? nobody : context,
    ALPNProtocols: ["http/1.1"],
    SNICallback(name, use) {
      if (parseHostAndPort(name, HTTPS_PORT)?.host === host) use(null, context);
      else void onWrongName().then(() => use(null, nobody));
    },
  });
}
