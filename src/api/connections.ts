import type { Socket } from "node:net";
import type { Server } from "./server.ts";

/** What is being answered gets this long to end once the server begins to close. */
const CLOSE_GRACE_MS = 10_000;

/**
 * Keeps `close` from waiting for clients: connections on which nothing was ever asked are dropped at once, which Node
 * alone takes for busy ones; the rest when their answer is out, or when the time is over.
 */
export function boundClosing(app: Server): void {
  const silent = new Set<Socket>();
  app.server.on("connection", (socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  app.server.on("request", ({ socket }) => silent.delete(socket));
  app.addHook("preClose", async () => {
    for (const socket of silent) socket.destroy();
    setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS).unref();
  });
}
