import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ResponseUrls } from "./response-urls.ts";
import type { SocketMode } from "./socket-mode.ts";
import { answerDownload, answerUpload } from "./transfers.ts";
import { answerMethod, type WebApiDeps } from "./web-api.ts";

export interface ServerParts {
  deps: WebApiDeps;
  responses: ResponseUrls;
  socket: SocketMode;
}

/** Listens on the loopback. An error of the fake's own is a violation, so that no test overlooks it. */
export async function serve(parts: ServerParts, port: number): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    route(parts, request, response).catch((error: unknown) => {
      parts.deps.violations.push(`${request.url}: the fake failed: ${String(error)}`);
      response.destroy();
    });
  });
  server.on("upgrade", (request, stream) => parts.socket.upgrade(request, stream));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      await parts.socket.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function route({ deps, responses }: ServerParts, request: IncomingMessage, response: ServerResponse) {
  const path = new URL(request.url ?? "/", "http://fake").pathname;
  if (path.startsWith("/api/")) return answerMethod(deps, path.slice("/api/".length), request, response);
  if (path.startsWith("/upload/")) return answerUpload(deps, request, response, path);
  if (!path.startsWith("/response/")) return answerDownload(deps, request, response, path);
  await responses.answer(request, response, path);
  deps.log.changed();
}
