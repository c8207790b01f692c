import { randomUUID } from "node:crypto";
import {
  type OutputFile,
  type Sandbox,
  SandboxLostError,
  type SandboxOp,
  type SandboxProvider,
  type SandboxResult,
} from "../../src/sandbox/sandbox.ts";

export type RunOp = (op: SandboxOp, signal: AbortSignal) => Promise<SandboxResult>;

/** Sandboxes in memory, for tests that steer when a call ends or a sandbox is lost. Like real ones they outlive who uses them. */
export interface FakeSandboxes {
  provider: SandboxProvider;
  /** Operations that were begun, in order, in whichever sandbox. */
  readonly begun: SandboxOp[];
  readonly provisioned: number;
  /** The variables that were set last, by sandbox. */
  environments(): Record<string, string>[];
  /** Text files that were written, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Below `/mnt/session/outputs`. */
  readonly outputs: Map<string, string>;
  /** Loses every sandbox there is. */
  loseAll(): void;
}

interface Machine {
  ref: string;
  image: string;
  environment: Record<string, string>;
  sessionId: string;
  /** Every call that was begun, by id. */
  journal: Map<string, Promise<SandboxResult>>;
  lost: AbortController;
}

export const textResult = (text: string, isError = false): SandboxResult => ({
  content: [{ type: "text", text }],
  isError,
});

/** @param run what an operation does; it is asked once per call id, whoever asks and however often */
export function createFakeSandboxes(run: RunOp): FakeSandboxes {
  const machines = new Map<string, Machine>();
  const begun: SandboxOp[] = [];
  const files = new Map<string, string>();
  const outputs = new Map<string, string>();
  let provisioned = 0;

  const begin = (machine: Machine, callId: string, op: SandboxOp, signal: AbortSignal) => {
    const before = machine.journal.get(callId);
    if (before) return before;
    begun.push(op);
    const result = run(op, signal);
    machine.journal.set(callId, result);
    result.catch(() => machine.journal.set(callId, Promise.resolve(textResult("interrupted", true))));
    return result;
  };
  const join = (machine: Machine): Sandbox => ({
    ref: machine.ref,
    image: machine.image,
    gatewayId: machine.ref,
    async setEnvironment(variables) {
      alive(machine);
      machine.environment = variables;
    },
    async call(callId, op, signal) {
      alive(machine);
      return unlessLost(machine, signal, begin(machine, callId, op, signal));
    },
    async putUpload() {
      alive(machine);
    },
    async writeText(path, text) {
      alive(machine);
      files.set(path, text);
    },
    async listOutputs(signal) {
      signal.throwIfAborted();
      alive(machine);
      return [...outputs].map(([path, text]): OutputFile => ({ path, size: text.length, mtimeNs: "1" }));
    },
    async *readOutput({ path }) {
      alive(machine);
      yield Buffer.from(outputs.get(path) ?? "");
    },
    async renderPreview() {
      return null;
    },
    async detach() {},
  });

  return {
    begun,
    files,
    outputs,
    get provisioned() {
      return provisioned;
    },
    environments: () => [...machines.values()].map(({ environment }) => environment),
    loseAll() {
      for (const machine of machines.values()) machine.lost.abort(new SandboxLostError("The sandbox is gone."));
      machines.clear();
    },
    provider: {
      async provision({ sessionId, shape }, signal) {
        signal.throwIfAborted();
        provisioned += 1;
        const machine: Machine = {
          ref: randomUUID(),
          image: shape.image,
          environment: {},
          sessionId,
          journal: new Map(),
          lost: new AbortController(),
        };
        machines.set(machine.ref, machine);
        return join(machine);
      },
      async attach(ref, signal) {
        signal.throwIfAborted();
        const machine = machines.get(ref);
        return machine ? join(machine) : null;
      },
      async pause() {},
      async stop() {},
      async destroy(ref) {
        machines.delete(ref);
      },
      async list() {
        return [...machines.values()].map(({ ref, sessionId }) => ({ ref, sessionId }));
      },
      async close() {},
    },
  };
}

function alive({ lost }: Machine): void {
  lost.signal.throwIfAborted();
}

async function unlessLost<Value>({ lost }: Machine, signal: AbortSignal, work: Promise<Value>): Promise<Value> {
  const either = AbortSignal.any([lost.signal, signal]);
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(either.reason);
  if (either.aborted) onAbort();
  either.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    either.removeEventListener("abort", onAbort);
  }
}
