import { connect, type Socket } from "node:net";
import { messageOf } from "../errors.ts";
import { UnreachableError } from "./destination.ts";
import { formatHostAndPort, type HostAndPort } from "./host-pattern.ts";
import type { Resolve } from "./resolve.ts";

/**
 * A TCP connection to one of the host's checked addresses, tried one after the other.
 * @param halfOpen whether the connection stays when the other side has ended
 * @throws DeniedError, UnreachableError
 */
export type Dial = (target: HostAndPort, options?: { halfOpen?: boolean }) => Promise<Socket>;

const ADDRESSES_MAX = 4;
const CONNECT_TIMEOUT_MS = 10_000;
/** With more addresses to come, one that does not answer gets less. */
const NEXT_AFTER_MS = 3_000;
const KEEP_ALIVE_AFTER_MS = 60_000;

export function createDial(resolve: Resolve): Dial {
  return async (target, { halfOpen = false } = {}) => {
    const addresses = (await resolve(target.host)).slice(0, ADDRESSES_MAX);
    let failure: unknown;
    for (const [index, address] of addresses.entries()) {
      try {
        const timeoutMs = index === addresses.length - 1 ? CONNECT_TIMEOUT_MS : NEXT_AFTER_MS;
        return await connectTo({ address, port: target.port, halfOpen, timeoutMs });
      } catch (error) {
        failure = error;
      }
    }
    throw new UnreachableError(`${formatHostAndPort(target, 0)} can't be connected to: ${reasonOf(failure)}.`, {
      cause: failure,
    });
  };
}

interface Attempt {
  address: string;
  port: number;
  halfOpen: boolean;
  timeoutMs: number;
}

async function connectTo({ address, port, halfOpen, timeoutMs }: Attempt): Promise<Socket> {
  const socket = connect({
    host: address,
    port,
    allowHalfOpen: halfOpen,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error("it does not answer")), timeoutMs);
  socket.once("connect", resolve).once("error", reject);
  try {
    await promise;
    socket.removeListener("error", reject);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The code without the address, which is not for sandboxes to know. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : messageOf(error);
}
