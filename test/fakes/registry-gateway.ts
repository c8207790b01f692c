import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import path from "node:path";
import type { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import { createGatewayDirs, type GatewayDirs } from "../../src/sandbox/gateway-dirs.ts";
import { createTestAuthority } from "../support/test-authority.ts";
import type { Registry } from "./package-registries.ts";

export interface RegistryGateway extends GatewayDirs {
  /** What was asked for, in order. */
  readonly asked: readonly string[];
}

/**
 * A gateway that knows some files, whatever their host, and nothing else. Its sockets are where a real one's are. Like a
 * proxy that intercepts TLS it answers for every https host, under an authority that only its own sandboxes are told of.
 */
export function createRegistryGateway(root: string, registry: Registry): RegistryGateway {
  const authority = createTestAuthority();
  const dirs = createGatewayDirs({ root, caCertificate: authority.certificatePem });
  const servers = new Map<string, Server>();
  const asked: string[] = [];
  return {
    asked,
    async make(slot) {
      const folder = await dirs.make(slot);
      const server = createServer((request, response) => {
        const url =
          request.socket instanceof TLSSocket ? `https://${request.headers.host}${request.url}` : (request.url ?? "");
        asked.push(url);
        const found = registry.get(url);
        response.writeHead(found ? 200 : 404, { "content-type": contentType(url) }).end(found);
      });
      server.on("connect", ({ url = "" }, connection: Duplex) => {
        connection.write("HTTP/1.1 200 Connection established\r\n\r\n");
        const secureContext = createSecureContext(authority.serverOptions(url.replace(/:\d+$/, "")));
        const secure = new TLSSocket(connection, { isServer: true, secureContext });
        secure.on("error", () => secure.destroy());
        server.emit("connection", secure);
      });
      const socket = path.join(folder, "gateway.sock");
      await once(server.listen(socket), "listening");
      await chmod(socket, 0o666);
      servers.set(slot, server);
      return folder;
    },
    async remove(slot) {
      const server = servers.get(slot);
      server?.closeAllConnections();
      server?.close();
      servers.delete(slot);
      await dirs.remove(slot);
    },
    list: () => dirs.list(),
  };
}

const contentType = (url: string) => (url.includes("/simple/") ? "text/html" : "application/octet-stream");
