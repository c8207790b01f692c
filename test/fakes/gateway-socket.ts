import { once } from "node:events";
import { chmod, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import path from "node:path";

/** What answers plain-http requests that sandboxes send to their proxy. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface FakeGateway {
  /** Absolute URLs and CONNECT targets, in the order they came. */
  readonly asked: string[];
  /** Breaks the connections there are. */
  stop(): Promise<void>;
}

/** Serves a proxy on the socket of one gateway folder; tunnels lead to `tunnelPort` on this machine. */
export async function startFakeGateway(folder: string, answer: Answer, tunnelPort = 0): Promise<FakeGateway> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    asked.push(request.url ?? "");
    answer(request, response);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  server.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const upstream = connect({ port: tunnelPort, host: "127.0.0.1", allowHalfOpen: true });
    upstream.on("connect", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    for (const end of [upstream, socket]) end.on("error", () => [upstream, socket].forEach((each) => each.destroy()));
    upstream.pipe(socket).pipe(upstream);
  });
  const file = path.join(folder, "gateway.sock");
  await rm(file, { force: true });
  server.listen(file);
  await once(server, "listening");
  await chmod(file, 0o666);
  return {
    asked,
    async stop() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
