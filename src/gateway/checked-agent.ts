import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { messageOf } from "../errors.ts";
import type { Dial } from "./dial.ts";

const SOCKETS_MAX = 256;
const FREE_SOCKETS_MAX = 8;
/** Less than the five seconds after which many servers close, so that a request seldom meets a closed connection. */
const KEEP_ALIVE_MS = 4_000;

/** Connections to servers for one sandbox's plain requests, each to an address that was checked when it was made. */
export class CheckedAgent extends Agent {
  readonly #dial: Dial;

  constructor(dial: Dial) {
    super({ keepAlive: true, maxTotalSockets: SOCKETS_MAX, maxFreeSockets: FREE_SOCKETS_MAX });
    this.#dial = dial;
    this.on("free", (socket: { setTimeout?: (ms: number) => void }) => socket.setTimeout?.(KEEP_ALIVE_MS));
  }

  override createConnection(
    { host, port }: { host?: string | null; port?: string | number | null },
    done?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const report = done as (error: Error | null, stream?: Duplex) => void;
    this.#dial({ host: host ?? "", port: Number(port) }).then(
      (socket) => report(null, socket),
      (error: unknown) => report(error instanceof Error ? error : new Error(messageOf(error))),
    );
  }
}
