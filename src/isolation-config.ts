import { isIP } from "node:net";
import { z } from "zod";

const SECONDS_MAX = 31_536_000;
const CIDR = /^[0-9A-Fa-f.:]+\/\d{1,3}$/;
const HOST = /^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?$/;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const IMAGE = /^[a-z0-9][\w./:@-]*$/;

const emptyIsUnset = (given: unknown) => (given === "" ? undefined : given);
const number = (fallback: number, rule: (value: z.ZodCoercedNumber) => z.ZodType<number>) =>
  z.preprocess((given) => emptyIsUnset(given) ?? fallback, rule(z.coerce.number()));
const count = (fallback: number, least: number, most = 1_000_000_000) =>
  number(fallback, (value) => value.int().min(least).max(most));
const list = (isItem: (text: string) => boolean, message: string) =>
  z.preprocess(
    (given) => (typeof given === "string" ? given.split(",").flatMap((item) => item.trim() || []) : []),
    z.array(z.string().refine(isItem, { message })),
  );

/** The variables that say what sandboxes get and what they may reach. */
export const isolationVariables = {
  DECKHAND_SANDBOX_IMAGE: z.preprocess(emptyIsUnset, z.string().optional()),
  DECKHAND_SANDBOX_RUNTIME: z.preprocess(emptyIsUnset, z.string().optional()),
  DECKHAND_SANDBOX_POOL: count(2, 0, 1000),
  DECKHAND_SANDBOX_MEMORY_MB: count(2048, 128),
  DECKHAND_SANDBOX_CPUS: number(2, (value) => value.min(0.1)),
  DECKHAND_SANDBOX_PIDS: count(512, 32),
  DECKHAND_SANDBOX_DISK_MB: count(10_240, 64),
  DECKHAND_SANDBOX_MEMORY_MB_MAX: count(16_384, 128),
  DECKHAND_SANDBOX_CPUS_MAX: number(8, (value) => value.min(0.1)),
  DECKHAND_SANDBOX_PIDS_MAX: count(4096, 32),
  DECKHAND_SANDBOX_DISK_MB_MAX: count(51_200, 64),
  DECKHAND_SANDBOX_RUNTIMES: list((text) => NAME.test(text), "must be names of runtimes, with commas between them"),
  DECKHAND_SANDBOX_BASE_IMAGES: list((text) => IMAGE.test(text), "must be images, with commas between them"),
  DECKHAND_SANDBOX_PAUSE_AFTER_S: count(60, 1, SECONDS_MAX),
  DECKHAND_SANDBOX_STOP_AFTER_S: count(600, 1, SECONDS_MAX),
  DECKHAND_SANDBOX_REMOVE_AFTER_S: count(2_592_000, 60, SECONDS_MAX),
  DECKHAND_GATEWAY_DIR: z.preprocess(emptyIsUnset, z.string().optional()),
  DECKHAND_GATEWAY_ADDRESSES: list(isCidr, "must be networks such as 10.20.0.0/16, with commas between them"),
  DECKHAND_GATEWAY_HOST_ADDRESSES: list((text) => isIP(text) !== 0, "must be addresses, with commas between them"),
  DECKHAND_GATEWAY_DNS: list(
    isDnsServer,
    "must be addresses such as 10.0.0.2 or 10.0.0.2:5353, with commas between them",
  ),
  DECKHAND_GATEWAY_PACKAGE_HOSTS: list(
    (text) => HOST.test(text),
    "must be hosts such as pypi.example.com or *.example.com, with commas between them",
  ),
  DECKHAND_GATEWAY_REQUESTS_PER_MINUTE: count(3000, 1),
  DECKHAND_GATEWAY_MB_PER_HOUR: count(20_480, 1),
  DECKHAND_GATEWAY_AUDIT_DAYS: count(90, 0, 36_500),
};

type Given = z.output<z.ZodObject<typeof isolationVariables>>;

export interface SandboxConfig {
  image: string | null;
  runtime: string | null;
  poolSize: number;
  memoryMb: number;
  cpus: number;
  pids: number;
  diskMb: number;
  /** How far an environment may go beyond the above. */
  bounds: SandboxBounds;
  /** Without use, counted from the last turn. */
  pauseAfterMs: number;
  stopAfterMs: number;
  removeAfterMs: number;
}

export interface SandboxBounds {
  memoryMb: number;
  cpus: number;
  pids: number;
  diskMb: number;
  /** That an environment may name, besides the installation's own. */
  runtimes: readonly string[];
  baseImages: readonly string[];
}

export interface GatewayConfig {
  /** Where the sockets of sandboxes are, on the engine's host; null for a folder of the home. */
  dir: string | null;
  /** Networks that sandboxes may reach though they are not public. */
  allowedNetworks: readonly string[];
  /** The host's own, which a gateway in a container can't see: refused though public. */
  hostAddresses: readonly string[];
  /** What resolves names; none means the system. */
  dnsServers: readonly string[];
  /** Mirrors that count as package managers' hosts. */
  packageHosts: readonly string[];
  requestsPerMinute: number;
  bytesPerHour: number;
  /** How long the record of requests is kept; 0 for always. */
  auditDays: number;
}

export function sandboxConfig(given: Given): SandboxConfig {
  return {
    image: given.DECKHAND_SANDBOX_IMAGE ?? null,
    runtime: given.DECKHAND_SANDBOX_RUNTIME ?? null,
    poolSize: given.DECKHAND_SANDBOX_POOL,
    memoryMb: given.DECKHAND_SANDBOX_MEMORY_MB,
    cpus: given.DECKHAND_SANDBOX_CPUS,
    pids: given.DECKHAND_SANDBOX_PIDS,
    diskMb: given.DECKHAND_SANDBOX_DISK_MB,
    bounds: {
      memoryMb: given.DECKHAND_SANDBOX_MEMORY_MB_MAX,
      cpus: given.DECKHAND_SANDBOX_CPUS_MAX,
      pids: given.DECKHAND_SANDBOX_PIDS_MAX,
      diskMb: given.DECKHAND_SANDBOX_DISK_MB_MAX,
      runtimes: given.DECKHAND_SANDBOX_RUNTIMES,
      baseImages: given.DECKHAND_SANDBOX_BASE_IMAGES,
    },
    pauseAfterMs: given.DECKHAND_SANDBOX_PAUSE_AFTER_S * 1000,
    stopAfterMs: given.DECKHAND_SANDBOX_STOP_AFTER_S * 1000,
    removeAfterMs: given.DECKHAND_SANDBOX_REMOVE_AFTER_S * 1000,
  };
}

export function gatewayConfig(given: Given): GatewayConfig {
  return {
    dir: given.DECKHAND_GATEWAY_DIR ?? null,
    allowedNetworks: given.DECKHAND_GATEWAY_ADDRESSES,
    hostAddresses: given.DECKHAND_GATEWAY_HOST_ADDRESSES,
    dnsServers: given.DECKHAND_GATEWAY_DNS,
    packageHosts: given.DECKHAND_GATEWAY_PACKAGE_HOSTS,
    requestsPerMinute: given.DECKHAND_GATEWAY_REQUESTS_PER_MINUTE,
    bytesPerHour: given.DECKHAND_GATEWAY_MB_PER_HOUR * 1024 * 1024,
    auditDays: given.DECKHAND_GATEWAY_AUDIT_DAYS,
  };
}

function isCidr(text: string): boolean {
  const [address, bits] = text.split("/");
  const version = isIP(address ?? "");
  return CIDR.test(text) && version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
}

/** As `dns.Resolver.setServers` takes them. */
function isDnsServer(text: string): boolean {
  const [address, port] = text.startsWith("[") ? text.slice(1).split("]:") : splitPort(text);
  return isIP(address ?? "") !== 0 && (port === undefined || /^\d{1,5}$/.test(port));
}

const splitPort = (text: string): string[] => (isIP(text) === 6 ? [text] : text.split(":"));
