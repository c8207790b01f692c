import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { buffer } from "node:stream/consumers";
import { type DnsServer, startDnsServer } from "../../fakes/dns-server.ts";
import type { TestAuthority } from "../../support/test-authority.ts";
import { Teardown } from "../../../src/teardown.ts";

/** A request that came to one of the hosts. */
export interface Heard {
  /** Whose server it came to, whatever it says itself. */
  host: string;
  secure: boolean;
  target: string;
  headers: IncomingMessage["headers"];
  body: string;
}

export interface HostOptions {
  /** Besides 443 for https and 80 for http. */
  alsoPort?: number;
  answer: (heard: Heard) => RequestListener | null;
}

/** Servers that stand for the internet: each on an address of its own of the loopback, with a name by a fake DNS. */
export interface Hosts {
  readonly dns: DnsServer;
  /** All of the addresses. */
  readonly network: string;
  readonly heard: readonly Heard[];
  /** Starts one. Returns its address. */
  add(name: string, options: HostOptions): Promise<string>;
  close(): Promise<void>;
}

export async function startHosts(authority: TestAuthority): Promise<Hosts> {
  const teardown = new Teardown();
  const dns = await startDnsServer();
  teardown.add(() => dns.stop());
  // Others may do the same on this machine at this moment.
  const prefix = `127.${randomInt(64, 250)}.${randomInt(1, 250)}`;
  const heard: Heard[] = [];
  let last = 0;

  const listen = async (server: Server, address: string, port: number) => {
    server.listen(port, address);
    await once(server, "listening");
    teardown.add(async () => {
      server.closeAllConnections();
      server.close();
    });
  };

  return {
    dns,
    network: `${prefix}.0/24`,
    heard,
    async add(name, { alsoPort, answer }) {
      const address = `${prefix}.${(last += 1)}`;
      dns.set(name, [address]);
      const listener =
        (secure: boolean): RequestListener =>
        (request, response) =>
          void hear(name, secure, request).then((one) => {
            heard.push(one);
            const given = answer(one);
            if (given) given(request, response);
            else response.writeHead(200, { "content-type": "text/plain" }).end("ok\n");
          });
      const https = () => createHttpsServer(authority.serverOptions(name), listener(true));
      await listen(https(), address, 443);
      await listen(createHttpServer(listener(false)), address, 80);
      if (alsoPort !== undefined) await listen(https(), address, alsoPort);
      return address;
    },
    close: () => teardown.run(),
  };
}

async function hear(host: string, secure: boolean, request: IncomingMessage): Promise<Heard> {
  const body = (await buffer(request)).toString("latin1");
  return { host, secure, target: request.url ?? "", headers: request.headers, body };
}
