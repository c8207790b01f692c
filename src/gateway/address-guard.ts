import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

export interface AddressRules {
  /** CIDR networks that may be reached though they are not public. */
  allowedNetworks: readonly string[];
  /** Addresses of this machine itself, public ones too: what listens on it is not meant for sandboxes. */
  ownAddresses?: readonly string[];
}

/** `address` is what to connect to: a mapped address has become the IPv4 one. `range` says what it is instead of public. */
export type CheckedAddress = { ok: true; address: string; family: 4 | 6 } | { ok: false; range: string };

const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];
/** Public by its looks, but answered by the machine that a virtual machine of Azure runs on. */
const AZURE_PLATFORM = "168.63.129.16";
const TEREDO_SERVER_BYTE = 4;
const SIXTOFOUR_BYTE = 2;
const LAST_IPV4_BYTE = 12;

/**
 * Whether a sandbox may be connected to this address: a public unicast one, or one in a network that the operator allows.
 * An IPv4 address inside an IPv6 one (mapped, compatible, NAT64, 6to4, Teredo) has to pass too: that is where a packet
 * would end up.
 * @param text any spelling
 */
export function checkAddress(text: string, rules: AddressRules): CheckedAddress {
  if (!ipaddr.isValid(text) || text.includes("%")) return { ok: false, range: "invalid" };
  const given = ipaddr.process(text);
  const isOwn = (rules.ownAddresses ?? []).some((own) => ipaddr.process(own).toString() === given.toString());
  const bad = isAllowed(given, rules.allowedNetworks) ? null : isOwn ? "own" : wrongRange(given, rules);
  if (bad !== null) return { ok: false, range: bad };
  return { ok: true, address: given.toString(), family: given.kind() === "ipv4" ? 4 : 6 };
}

function wrongRange(address: Address, rules: AddressRules): string | null {
  if (address instanceof ipaddr.IPv4) {
    if (address.toString() === AZURE_PLATFORM) return "metadata";
    return address.range() === "unicast" ? null : address.range();
  }
  const inside = embedded(address);
  if (inside.length > 0) {
    const bad = inside.map((one) => checkAddress(one.toString(), rules)).find((checked) => !checked.ok);
    return bad && !bad.ok ? bad.range : null;
  }
  const range = address.range();
  if (range !== "unicast") return range;
  return address.match(GLOBAL_UNICAST) ? null : "reserved";
}

/** The IPv4 addresses that are spelled inside an IPv6 one. */
function embedded(address: ipaddr.IPv6): ipaddr.IPv4[] {
  const bytes = address.toByteArray();
  const at = (start: number, mask = 0) => new ipaddr.IPv4(bytes.slice(start, start + 4).map((byte) => byte ^ mask));
  const range = address.range();
  if (range === "rfc6052" || range === "rfc6145") return [at(LAST_IPV4_BYTE)];
  if (range === "6to4") return [at(SIXTOFOUR_BYTE)];
  if (range === "teredo") return [at(TEREDO_SERVER_BYTE), at(LAST_IPV4_BYTE, 0xff)];
  const compatible = range === "unicast" && bytes.slice(0, LAST_IPV4_BYTE).every((byte) => byte === 0);
  return compatible ? [at(LAST_IPV4_BYTE)] : [];
}

const isAllowed = (address: Address, networks: readonly string[]) =>
  networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === address.kind() && address.match(base, bits);
  });
