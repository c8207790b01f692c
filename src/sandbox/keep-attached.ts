import { type Sandbox, SandboxLostError, type SandboxProvider } from "./sandbox.ts";

/** The next message of a conversation often comes within it. */
const KEEP_MS = 60_000;
/** Each one holds a connection to the engine. */
const KEPT_MAX = 200;
/** A sandbox that takes longer to say that it is there is better joined anew. */
const ANSWER_TIMEOUT_MS = 1_000;

export interface KeepAttachedOptions {
  keepMs?: number;
  keptMax?: number;
}

/**
 * The same provider, but a sandbox that is detached stays connected for a minute: when its session's next turn comes to
 * this process, it need not be joined again, which takes longer than most tools. One that was lost or still has a call
 * under way is let go of at once.
 */
export function keepAttached(
  provider: SandboxProvider,
  { keepMs = KEEP_MS, keptMax = KEPT_MAX }: KeepAttachedOptions = {},
): SandboxProvider {
  const kept = new Map<string, { sandbox: Sandbox; timer: NodeJS.Timeout }>();
  let closed = false;

  return {
    provision: async (spec, signal) => handle(await provider.provision(spec, signal), keep),

    async attach(ref, signal) {
      signal.throwIfAborted();
      const before = take(ref);
      if (before && (await answers(before, signal))) return handle(before, keep);
      await before?.detach();
      const joined = await provider.attach(ref, signal);
      return joined && handle(joined, keep);
    },

    async destroy(ref) {
      await take(ref)?.detach();
      await provider.destroy(ref);
    },

    async pause(ref) {
      await take(ref)?.detach();
      await provider.pause(ref);
    },

    async stop(ref) {
      await take(ref)?.detach();
      await provider.stop(ref);
    },

    list: () => provider.list(),

    async close() {
      closed = true;
      await Promise.all([...kept.keys()].map(async (ref) => take(ref)?.detach()));
      await provider.close();
    },
  };

  async function keep(sandbox: Sandbox): Promise<void> {
    if (closed) return sandbox.detach();
    const replaced = take(sandbox.ref);
    const [oldest] = kept.keys();
    const surplus = oldest !== undefined && kept.size >= keptMax ? take(oldest) : null;
    // Detaching closes a connection, which does not fail; what becomes of it interests nobody.
    const timer = setTimeout(() => void take(sandbox.ref)?.detach(), keepMs).unref();
    kept.set(sandbox.ref, { sandbox, timer });
    await Promise.all([replaced?.detach(), surplus?.detach()]);
  }

  function take(ref: string): Sandbox | null {
    const found = kept.get(ref);
    if (!found) return null;
    clearTimeout(found.timer);
    kept.delete(ref);
    return found.sandbox;
  }
}

/** One holder's use of a sandbox, ended by `detach`; `done` then gets the sandbox, unless it is of no use any more. */
function handle(sandbox: Sandbox, done: (sandbox: Sandbox) => Promise<void>): Sandbox {
  let underWay = 0;
  let lost = false;
  let detached = false;

  const use = async <Result>(work: Promise<Result>): Promise<Result> => {
    underWay += 1;
    try {
      return await work;
    } catch (error) {
      lost ||= error instanceof SandboxLostError;
      throw error;
    } finally {
      underWay -= 1;
    }
  };
  const useParts = async function* <Part>(read: () => AsyncIterable<Part>): AsyncGenerator<Part> {
    underWay += 1;
    try {
      yield* read();
    } catch (error) {
      lost ||= error instanceof SandboxLostError;
      throw error;
    } finally {
      underWay -= 1;
    }
  };
  const held = () => {
    if (detached) throw new SandboxLostError("This sandbox has been detached.");
    return sandbox;
  };
  return {
    ref: sandbox.ref,
    image: sandbox.image,
    gatewayId: sandbox.gatewayId,
    setEnvironment: async (...asked) => use(held().setEnvironment(...asked)),
    call: async (...asked) => use(held().call(...asked)),
    putUpload: async (...asked) => use(held().putUpload(...asked)),
    writeText: async (...asked) => use(held().writeText(...asked)),
    listOutputs: async (...asked) => use(held().listOutputs(...asked)),
    readOutput: (...asked) => useParts(() => held().readOutput(...asked)),
    renderPreview: async (...asked) => use(held().renderPreview(...asked)),
    async detach() {
      if (detached) return;
      detached = true;
      await (lost || underWay > 0 ? sandbox.detach() : done(sandbox));
    },
  };
}

/** The container may have been removed or paused meanwhile. Listing its outputs is the cheapest thing to ask of it. */
async function answers(sandbox: Sandbox, signal: AbortSignal): Promise<boolean> {
  try {
    await sandbox.listOutputs(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SandboxLostError || (error instanceof Error && error.name === "TimeoutError")) return false;
    throw error;
  }
}
