import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Audit } from "./audit.ts";
import { type AllowRule, decide } from "./decision.ts";
import { type Admission, DeniedError, type RequestLine, UnreachableError } from "./destination.ts";
import type { HostAndPort } from "./host-pattern.ts";
import { hasSecrets, secretsForHost } from "./host-secrets.ts";
import type { PolicySource, SandboxPolicy } from "./sandbox-policy.ts";
import type { SessionLimits } from "./session-limits.ts";

export interface AdmissionOptions {
  policies: PolicySource;
  limits: SessionLimits;
  audit: Audit;
  /** `HostPattern`s. */
  packageHosts: readonly string[];
  log: Logger;
}

/** An admission for those who also find reasons to refuse. */
export interface OpenAdmission extends Admission {
  readonly rule: AllowRule;
  /** Records that the request was refused after all, unless it is finished. Resolves when that is committed. */
  refuse(error: DeniedError): Promise<void>;
}

export interface Admissions {
  /** @throws DeniedError, recorded; UnreachableError when nobody can tell what the sandbox may reach */
  admit(gatewayId: string, target: HostAndPort, request: RequestLine): Promise<OpenAdmission>;
  /** Records a request that is refused for what only its reader can see. @returns what to answer, once that is committed */
  refuse(
    gatewayId: string,
    target: HostAndPort,
    request: RequestLine,
    rule: string,
    message: string,
  ): Promise<DeniedError>;
  /**
   * Whether a tunnel that is open already and not looked into would be opened now. What is not allowed any more is recorded
   * as refused; one whose host was given a secret just ends.
   */
  recheck(gatewayId: string, target: HostAndPort, admission: OpenAdmission): Promise<boolean>;
  /** The sandbox is gone. */
  forget(gatewayId: string): void;
}

type Owner = Pick<SandboxPolicy, "workspaceId" | "sessionId">;

const POLICY_TIMEOUT_MS = 10_000;
const PATH_CHARS_MAX = 2_000;
const METHOD_CHARS_MAX = 32;

export function createAdmissions({ policies, limits, audit, packageHosts, log }: AdmissionOptions): Admissions {
  /** Whose each socket was last, so that a flood is turned away without asking the database. */
  const owners = new Map<string, Owner>();

  async function policyOf(gatewayId: string): Promise<SandboxPolicy | null> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("no answer in time")), POLICY_TIMEOUT_MS);
    try {
      return await Promise.race([policies.find(gatewayId), promise]);
    } catch (error) {
      log.error({ gatewayId, error: messageOf(error) }, "what a sandbox may reach can't be looked up");
      throw new UnreachableError("The gateway can't look up what this sandbox may reach; try again.");
    } finally {
      clearTimeout(timer);
    }
  }

  async function checkRequestLimit(gatewayId: string, target: HostAndPort, request: RequestLine): Promise<void> {
    const taken = limits.takeRequest(gatewayId);
    if (taken === "ok") return;
    const message = `The request to ${target.host} is one too many: this sandbox has used up its requests for now.`;
    const error = new DeniedError(message, { status: 429, host: target.host, rule: "request_limit" });
    const owner = owners.get(gatewayId);
    if (taken === "over" && owner)
      await new Recorded(owner, target, request, { audit, limits, gatewayId }).refuse(error);
    throw error;
  }

  return {
    async admit(gatewayId, target, request) {
      await checkRequestLimit(gatewayId, target, request);
      const policy = await policyOf(gatewayId);
      if (!policy) {
        owners.delete(gatewayId);
        log.warn({ gatewayId, ...target, rule: "unknown_sandbox" }, "request of a sandbox denied");
        const message = `${target.host} is not allowed: this sandbox belongs to no session.`;
        throw new DeniedError(message, { host: target.host, rule: "unknown_sandbox" });
      }
      owners.set(gatewayId, policy);
      const decision = decide(policy, target, request, packageHosts);
      const recorded = new Recorded(policy, target, request, { audit, limits, gatewayId });
      const refuse = async (error: DeniedError): Promise<never> => {
        await recorded.refuse(error);
        throw error;
      };
      if (!decision.allow) {
        return refuse(new DeniedError(decision.message, { host: target.host, rule: decision.rule }));
      }
      if (!limits.takeBytes(gatewayId, 0)) return refuse(tooManyBytes(target));
      return recorded.allow(policy, decision.rule);
    },

    async refuse(gatewayId, target, request, rule, message) {
      const error = new DeniedError(message, { host: target.host, rule });
      // Nobody comes this far without having been admitted once.
      const owner = owners.get(gatewayId);
      try {
        await checkRequestLimit(gatewayId, target, request);
        if (owner) await new Recorded(owner, target, request, { audit, limits, gatewayId }).refuse(error);
        return error;
      } catch (limited) {
        if (limited instanceof DeniedError) return limited;
        throw limited;
      }
    },

    async recheck(gatewayId, target, admission) {
      // While nobody can tell, what was said last holds.
      const policy = await policyOf(gatewayId).catch(() => admission.policy);
      const decision = policy && decide(policy, target, { scheme: "tcp", path: null }, packageHosts);
      if (policy && decision?.allow) {
        return !hasSecrets(secretsForHost(policy, target.host, target.port));
      }
      const rule = decision ? decision.rule : "unknown_sandbox";
      await admission.refuse(new DeniedError(`${target.host} is not allowed any more.`, { host: target.host, rule }));
      return false;
    },

    forget(gatewayId) {
      owners.delete(gatewayId);
      limits.forget(gatewayId);
    },
  };
}

const tooManyBytes = ({ host }: HostAndPort) =>
  new DeniedError(`Nothing more goes to or from ${host}: this sandbox has used up the bytes it may move for now.`, {
    status: 429,
    host,
    rule: "byte_limit",
  });

interface Means {
  audit: Audit;
  limits: SessionLimits;
  gatewayId: string;
}

/** A request on its way to its one row. */
class Recorded {
  readonly #owner: Owner;
  readonly #target: HostAndPort;
  readonly #request: RequestLine;
  readonly #means: Means;
  readonly #startedAt = performance.now();
  readonly #bytes = { out: 0, in: 0 };
  #isFinished = false;
  #refusing: Promise<void> | null = null;

  constructor(owner: Owner, target: HostAndPort, request: RequestLine, means: Means) {
    this.#owner = owner;
    this.#target = target;
    this.#request = request;
    this.#means = means;
  }

  allow(policy: SandboxPolicy, rule: AllowRule): OpenAdmission {
    return {
      policy,
      rule,
      count: (direction, bytes) => this.#count(direction, bytes),
      refuse: (error) => this.refuse(error),
      finish: ({ status, credentialIds = [] }) => {
        if (this.#isFinished) return;
        this.#isFinished = true;
        const durationMs = performance.now() - this.#startedAt;
        this.#means.audit.allow({ ...this.#row("allow", rule, status), ageMs: durationMs, credentialIds });
      },
    };
  }

  async refuse({ rule, status }: DeniedError): Promise<void> {
    if (!this.#isFinished) this.#refusing = this.#means.audit.deny(this.#row("deny", rule, status));
    this.#isFinished = true;
    await this.#refusing;
  }

  #count(direction: "out" | "in", bytes: number): void {
    this.#bytes[direction] += bytes;
    if (this.#means.limits.takeBytes(this.#means.gatewayId, bytes)) return;
    const error = tooManyBytes(this.#target);
    void this.refuse(error);
    throw error;
  }

  #row(decision: "allow" | "deny", rule: string, status: number | null) {
    const { method, scheme, path } = this.#request;
    return {
      workspaceId: this.#owner.workspaceId,
      sessionId: this.#owner.sessionId,
      method: method.slice(0, METHOD_CHARS_MAX),
      scheme,
      ...this.#target,
      path: path === null ? null : recordablePath(path),
      decision,
      rule,
      status,
      bytesOut: this.#bytes.out,
      bytesIn: this.#bytes.in,
      durationMs: Math.round(performance.now() - this.#startedAt),
      ageMs: 0,
      credentialIds: [],
    };
  }
}

/** Without its query, and without what the database takes for no text. */
const recordablePath = (path: string) =>
  path
    .replace(/[?#].*$/s, "")
    .slice(0, PATH_CHARS_MAX)
    .replace(/[\u0000-\u001f\u007f]/g, "�")
    .toWellFormed();
