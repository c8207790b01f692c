import type { Socket } from "node:net";
import type { SandboxPolicy } from "./sandbox-policy.ts";

/** Where a connection from a sandbox asked to go. Made by the gateway's core for whoever handles what passes on it. */
export interface Destination {
  readonly gatewayId: string;
  /** As it was asked for, in lower case and without a dot at the end. */
  readonly host: string;
  readonly port: number;
  /**
   * Asks anew whether this request may pass: policy, limits. To be called for every request, so that what an operator
   * changes holds from the next one.
   * @throws DeniedError, already recorded and to be answered as it says
   */
  admit(request: RequestLine): Promise<Admission>;
  /**
   * Records a request that is refused for what only its reader can see, such as a `Host` of another site.
   * @returns what to answer, once its row is committed
   */
  refuse(request: RequestLine, rule: string, message: string): Promise<DeniedError>;
  /**
   * A TCP connection to an address that was looked up and checked in this call: nothing is looked up twice.
   * @throws DeniedError for an address that must not be reached, UnreachableError for one that does not answer
   */
  connect(): Promise<Socket>;
}

export interface RequestLine {
  method: string;
  scheme: "http" | "https" | "tcp";
  /** With its query, which is not recorded; null for a tunnel. */
  path: string | null;
}

/** One request that may pass. */
export interface Admission {
  readonly policy: SandboxPolicy;
  /** Bytes that went from the sandbox (`out`) or to it (`in`). @throws DeniedError beyond what the session may move */
  count(direction: "out" | "in", bytes: number): void;
  /** Writes the audit row. Idempotent: the first call counts. */
  finish(end: { status: number | null; credentialIds?: readonly string[] }): void;
}

/** Refused by policy. */
export class DeniedError extends Error {
  override readonly name = "DeniedError";
  /** 403, or 429 for limits. */
  readonly status: 403 | 429;
  readonly host: string;
  /** Stable, for the audit row and `x-deckhand-denied`. */
  readonly rule: string;

  /** @param message one sentence that names the host and the rule, without anything secret */
  constructor(message: string, { status = 403, host, rule }: { status?: 403 | 429; host: string; rule: string }) {
    super(message);
    this.status = status;
    this.host = host;
    this.rule = rule;
  }
}

/** Allowed, but it does not answer, or its name is unknown. Answered with 502. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}
