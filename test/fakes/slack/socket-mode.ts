import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { z } from "zod";
import type { Attempt, Transport } from "./delivery.ts";
import { acceptWebSocket, type ServerSocket } from "./websocket.ts";

const CONNECTIONS_MAX = 10;
const TYPES = { event: "events_api", interactive: "interactive", command: "slash_commands" } as const;
const Ack = z.object({ envelope_id: z.string(), payload: z.unknown().optional() });

export interface SocketMode {
  transport: Transport;
  /** Connections that are open now. */
  connections(): number;
  /** Says that they will be closed soon, as Slack does when it moves its servers. */
  warn(): void;
  /** All connections break, unacknowledged envelopes with them: those are sent again. Bolt comes back after 5 s. */
  drop(): void;
  /** Says goodbye to all and resolves when they are gone. */
  close(): Promise<void>;
  upgrade(request: IncomingMessage, stream: Duplex): void;
  /** A place to connect to, once. */
  ticket(): string;
}

export interface SocketModeOptions {
  appId: string;
  ackTimeoutMs: number;
  violations: string[];
  changed(): void;
}

export function createSocketMode({ appId, ackTimeoutMs, violations, changed }: SocketModeOptions): SocketMode {
  const open = new Set<ServerSocket>();
  const tickets = new Set<string>();
  const waiting = new Map<string, { socket: ServerSocket; settle: (attempt: Attempt) => void }>();
  /** For a connection, when there is none. */
  const hoping = new Set<() => void>();
  let turn = 0;
  let issued = 0;

  const connection = (): Promise<ServerSocket | undefined> => {
    const next = () => [...open][turn++ % open.size];
    if (open.size > 0) return Promise.resolve(next());
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        hoping.delete(wake);
        resolve(next());
      };
      const timer = setTimeout(wake, ackTimeoutMs).unref();
      hoping.add(wake);
    });
  };

  const lost = (socket: ServerSocket) => {
    open.delete(socket);
    for (const [id, each] of waiting) {
      if (each.socket !== socket) continue;
      waiting.delete(id);
      each.settle({ status: null, body: "the connection ended" });
    }
    changed();
  };
  const onText = (text: string) => {
    const ack = Ack.safeParse(JSON.parse(text));
    if (!ack.success) return void violations.push(`socket mode: not an acknowledgement: ${text}`);
    const { envelope_id, payload } = ack.data;
    waiting.get(envelope_id)?.settle({ status: 200, body: payload });
    waiting.delete(envelope_id);
  };

  return {
    async transport({ kind, payload, retry }) {
      const socket = await connection();
      if (!socket) return { status: null, body: "no connection" };
      return new Promise((resolve) => {
        const id = `envelope-${turn}`;
        const timer = setTimeout(() => {
          waiting.delete(id);
          resolve({ status: null, body: "not acknowledged in time" });
        }, ackTimeoutMs).unref();
        const settle = (attempt: Attempt) => {
          clearTimeout(timer);
          resolve(attempt);
        };
        waiting.set(id, { socket, settle });
        const envelope = { envelope_id: id, type: TYPES[kind], payload, accepts_response_payload: kind !== "event" };
        const again = { retry_attempt: retry?.num ?? 0, retry_reason: retry?.reason ?? "" };
        socket.send(JSON.stringify(kind === "event" ? { ...envelope, ...again } : envelope));
      });
    },
    connections: () => open.size,
    warn() {
      for (const socket of open) socket.send(JSON.stringify({ type: "disconnect", reason: "warning", debug_info: {} }));
    },
    drop() {
      for (const socket of [...open]) socket.drop();
    },
    async close() {
      const gone = [...open].map((socket) => socket.close());
      await Promise.all(gone);
    },
    upgrade(request, stream) {
      const ticket = new URL(request.url ?? "/", "ws://fake").searchParams.get("ticket") ?? "";
      if (!tickets.delete(ticket) || open.size >= CONNECTIONS_MAX) return void stream.destroy();
      const socket = acceptWebSocket(request, stream, { onText, onEnd: () => lost(socket) });
      open.add(socket);
      const info = { connection_info: { app_id: appId }, num_connections: open.size, debug_info: {} };
      socket.send(JSON.stringify({ type: "hello", ...info }));
      for (const wake of [...hoping]) wake();
      changed();
    },
    ticket() {
      issued += 1;
      tickets.add(`ticket-${issued}`);
      return `ticket-${issued}`;
    },
  };
}
