import type { Logger } from "../log.ts";
import { createAdmissions } from "./admission.ts";
import { createAudit } from "./audit.ts";
import { createDial } from "./dial.ts";
import type { GatewayRequestStore } from "./gateway-request-store.ts";
import type { Interceptor } from "./intercept.ts";
import { PACKAGE_HOSTS } from "./package-hosts.ts";
import { createResolve } from "./resolve.ts";
import type { PolicySource } from "./sandbox-policy.ts";
import type { Scrubbers } from "./scrub.ts";
import { createSessionLimits } from "./session-limits.ts";
import { listenInSlots } from "./slot-listeners.ts";
import { type ConnectionLimits, createSlotServer } from "./slot-server.ts";

export interface GatewayOptions {
  /** Holds a directory for each sandbox. */
  root: string;
  policies: PolicySource;
  /** Stopped with the gateway. */
  interceptor: Interceptor;
  /** The interceptor's own: what is kept of secrets to look for them is large. */
  scrubberFor: Scrubbers;
  requests: Pick<GatewayRequestStore, "insert">;
  /** Empty for those of the system. */
  dnsServers: readonly string[];
  /** CIDR networks that sandboxes may reach though they are not public. */
  allowedNetworks: readonly string[];
  /** Of this machine, besides those that its interfaces have. */
  hostAddresses?: readonly string[];
  /** `HostPattern`s of mirrors that count as package managers' hosts. */
  packageHosts: readonly string[];
  limits: { requestsPerMinute: number; bytesPerHour: number } & Partial<ConnectionLimits>;
  log: Logger;
}

export interface Gateway {
  /** Takes nothing new, lets what is under way end for a moment, then cuts it. Every row is written afterwards. */
  stop(): Promise<void>;
}

const CONNECTION_LIMITS: ConnectionLimits = {
  connectionsMax: 256,
  headersTimeoutMs: 10_000,
  idleMs: 600_000,
  recheckMs: 15_000,
};
const STOP_GRACE_MS = 2_000;

/** The only way out of sandboxes. Keeps nothing but counters in memory, so another one can take its place at any time. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { root, policies, interceptor, scrubberFor, log } = options;
  const audit = createAudit(options.requests, log);
  const admissions = createAdmissions({
    policies,
    limits: createSessionLimits(options.limits),
    audit,
    packageHosts: [...PACKAGE_HOSTS, ...options.packageHosts],
    log,
  });
  const dial = createDial(createResolve({ ...options, servers: options.dnsServers }));
  const limits = { ...CONNECTION_LIMITS, ...options.limits };
  const listeners = await listenInSlots({
    root,
    createServer: (slot) => createSlotServer(slot, { admissions, dial, interceptor, scrubberFor, limits }),
    log,
  });
  return {
    async stop() {
      await listeners.stop(STOP_GRACE_MS);
      await interceptor.stop();
      await audit.flush();
    },
  };
}
