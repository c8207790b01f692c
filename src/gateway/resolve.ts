import { lookup, Resolver } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { type AddressRules, checkAddress } from "./address-guard.ts";
import { DeniedError, UnreachableError } from "./destination.ts";
import { isAddress, normaliseHost } from "./host-pattern.ts";

/**
 * The addresses of a host, IPv4 first, each of which was checked and may be connected to. The host may be an address.
 * @throws DeniedError when one of them must not be reached, UnreachableError when there is none, or the signal's reason
 */
export type Resolve = (host: string, signal?: AbortSignal) => Promise<string[]>;

export interface ResolveOptions extends Pick<AddressRules, "allowedNetworks"> {
  /** DNS servers, each an address with or without a port; none means those of the system, and then its hosts file. */
  servers: readonly string[];
  /** Of this machine, besides those that its interfaces have. */
  hostAddresses?: readonly string[];
}

const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 3;
const RESOLVE_TIMEOUT_MS = 8_000;
/** How long a host that has IPv4 addresses is waited for to have others. */
const IPV6_GRACE_MS = 250;
/** Each holds a thread of the process until the system has its answer, and there are four. */
const SYSTEM_LOOKUPS_MAX = 2;
/** Whoever waits behind more is told that the name is not known: nobody is still there when it would be looked up. */
const SYSTEM_LOOKUPS_WAITING_MAX = 64;
const OWN_ADDRESSES_FOR_MS = 10_000;

export function createResolve({ servers, allowedNetworks, hostAddresses = [] }: ResolveOptions): Resolve {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  if (servers.length > 0) resolver.setServers(servers);
  const ownAddresses = createOwnAddresses();
  const systemLookup = servers.length > 0 ? null : createSystemLookup();

  async function addressesOf(host: string): Promise<string[]> {
    const [four, six] = [answers(resolver.resolve4(host)), answers(resolver.resolve6(host))];
    const found = await four;
    const more = await (found.length === 0 ? six : Promise.race([six, delay(IPV6_GRACE_MS, [], { ref: false })]));
    const all = [...found, ...more];
    return all.length > 0 || !systemLookup ? all : systemLookup(host);
  }

  return async (given, signal) => {
    const host = normaliseHost(given);
    if (host === null) throw new UnreachableError("This is not the name of a host.");
    const found = isAddress(host) ? [host] : await within(addressesOf(host), host, signal);
    if (found.length === 0) throw new UnreachableError(`${host} is not known to the DNS.`);
    const rules = { allowedNetworks, ownAddresses: [...ownAddresses(), ...hostAddresses] };
    const checked = found.map((address) => checkAddress(address, rules));
    return checked.map((one) => {
      if (one.ok) return one.address;
      const message = `${host} is not at a public address (${one.range}): sandboxes are not connected there.`;
      throw new DeniedError(message, { host, rule: "private_address" });
    });
  };
}

/** That there is no such address, and that nobody answered, are the same here: the other family, or the system, may have one. */
const answers = (query: Promise<string[]>) => query.catch((): string[] => []);

async function within(work: Promise<string[]>, host: string, signal: AbortSignal | undefined): Promise<string[]> {
  const timeout = AbortSignal.timeout(RESOLVE_TIMEOUT_MS);
  const end = signal ? AbortSignal.any([signal, timeout]) : timeout;
  end.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () =>
    reject(signal?.aborted ? signal.reason : new UnreachableError(`The DNS does not answer about ${host}.`));
  end.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    end.removeEventListener("abort", stop);
  }
}

/** For names that no DNS server knows, such as those of the hosts file. */
function createSystemLookup(): (host: string) => Promise<string[]> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (host) => {
    if (waiting.length >= SYSTEM_LOOKUPS_WAITING_MAX) return [];
    if (running >= SYSTEM_LOOKUPS_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      return (await lookup(host, { all: true, order: "ipv4first" })).map(({ address }) => address);
    } catch {
      return [];
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}

function createOwnAddresses(): () => readonly string[] {
  let known: string[] = [];
  let until = 0;
  return () => {
    if (performance.now() < until) return known;
    until = performance.now() + OWN_ADDRESSES_FOR_MS;
    known = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
    return known;
  };
}
