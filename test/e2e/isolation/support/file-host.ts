import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "../../../fakes/package-registries.ts";

/** A server over plain HTTP: the files of a registry, `/quick`, and `/slow`, which has no end. */
export interface FileHost {
  port: number;
  stop(): Promise<void>;
}

/** @param registry whose URLs differ in their paths */
export async function startFileHost(address: string, registry: Registry): Promise<FileHost> {
  const files = new Map([...registry].map(([url, bytes]) => [new URL(url).pathname, bytes]));
  const server = createServer((request, response) => {
    const pathname = request.url ?? "/";
    if (pathname === "/quick") {
      response.end("quick\n");
    } else if (pathname === "/slow") {
      response.write("begun\n");
    } else {
      const found = files.get(pathname);
      const type = pathname.startsWith("/simple/") ? "text/html" : "application/octet-stream";
      response.writeHead(found ? 200 : 404, { "content-type": type }).end(found);
    }
  });
  server.listen(0, address);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
