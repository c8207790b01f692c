import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type DnsServer, startDnsServer } from "../../../fakes/dns-server.ts";
import { createTestAuthority, type TestAuthority } from "../../../support/test-authority.ts";

/** What sandboxes find outside: names, and servers whose certificates they trust, as behind a company's proxy. */
export interface OutsideWorld {
  /** Where its servers are to listen. */
  address: string;
  authority: TestAuthority;
  dns: DnsServer;
  /** What every process of a Deckhand is told so that its sandboxes find them. */
  env: Record<string, string>;
  stop(): Promise<void>;
}

/** @param names of hosts that are at `address` */
export async function startOutsideWorld(address: string, names: readonly string[]): Promise<OutsideWorld> {
  const dir = await mkdtemp(path.join(tmpdir(), "outside-"));
  const certificates = path.join(dir, "authority.pem");
  const authority = createTestAuthority();
  await writeFile(certificates, authority.certificatePem);
  const dns = await startDnsServer();
  for (const name of names) dns.set(name, [address]);
  return {
    address,
    authority,
    dns,
    env: {
      DECKHAND_GATEWAY_ADDRESSES: `${address}/32`,
      DECKHAND_GATEWAY_DNS: dns.address,
      NODE_EXTRA_CA_CERTS: certificates,
    },
    async stop() {
      await dns.stop();
      await rm(dir, { recursive: true });
    },
  };
}
