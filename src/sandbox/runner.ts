import type { Container } from "dockerode";
import type { Logger } from "../log.ts";
import { messageOf } from "../errors.ts";
import { overfullDisk } from "./disk-watch.ts";
import { containerState, killContainer } from "./engine.ts";
import {
  BridgeEndedError,
  openRunnerConnection,
  type Reply,
  type RunnerConnection,
  RunnerSilentError,
} from "./runner-connection.ts";
import { SandboxLostError } from "./sandbox.ts";

/** How often a request is sent anew after its bridge ended, before the sandbox is given up. */
const BRIDGES_PER_REQUEST_MAX = 3;

const NEVER = new AbortController().signal;

export interface RunnerRequest {
  header: { type: string; [field: string]: unknown };
  body?: Uint8Array;
  /** Bytes that may follow the reply; 0 when left out. */
  bodyBytesMax?: number;
  /** After this the sandbox counts as lost: a runner that works keeps its own, shorter times. */
  deadlineMs: number;
}

/**
 * The runner of one container, through whichever bridge there is. Every request may be sent again without harm: calls are
 * journaled by the runner, the rest is safe to repeat. So a bridge that ended is replaced and the request sent again; a
 * runner that died is then started anew, and its journal says what became of the call.
 */
export class Runner {
  readonly #container: Container;
  readonly #log: Logger;
  #connection: Promise<RunnerConnection>;
  #lost: SandboxLostError | null = null;
  #detached = false;
  #variables: Record<string, string> | null = null;

  private constructor(container: Container, connection: RunnerConnection, log: Logger) {
    this.#container = container;
    this.#connection = Promise.resolve(connection);
    this.#log = log;
  }

  /** @throws the engine's error, BridgeEndedError or RunnerSilentError when no runner answers */
  static async open(container: Container, log: Logger, signal: AbortSignal): Promise<Runner> {
    return new Runner(container, await openRunnerConnection(container, signal), log);
  }

  /** @throws SandboxLostError | RunnerRefusal | the signal's reason */
  async request(request: RunnerRequest, signal: AbortSignal): Promise<Reply> {
    const { deadlineMs } = request;
    const timer = setTimeout(() => void this.#giveUp(`no answer within ${deadlineMs} ms`), deadlineMs);
    try {
      return await this.#send(request, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Tells the runner, and each one that takes its place, what variables tools see besides the sandbox's own. */
  async setEnvironment(variables: Record<string, string>, deadlineMs: number, signal: AbortSignal): Promise<void> {
    await this.request({ header: environmentHeader(variables), deadlineMs }, signal);
    this.#variables = variables;
  }

  /** Closes the bridge. What the runner does goes on. Idempotent. */
  async detach(): Promise<void> {
    this.#detached = true;
    this.#lost ??= new SandboxLostError("This sandbox has been detached.");
    (await this.#connection.catch(() => null))?.close();
  }

  /** False when a request is bound to fail, or would first have to find out. */
  async isConnected(): Promise<boolean> {
    const connection = await this.#connection.catch(() => null);
    return this.#lost === null && connection !== null && !connection.ended;
  }

  async #send({ header, body, bodyBytesMax = 0 }: RunnerRequest, signal: AbortSignal): Promise<Reply> {
    for (let bridges = 1; ; bridges++) {
      if (this.#lost) throw this.#lost;
      try {
        const connection = await unlessAborted(this.#connection, signal);
        return await connection.request(header, body, bodyBytesMax, signal);
      } catch (error) {
        if (error instanceof RunnerSilentError) throw await this.#giveUp(error.message);
        if (!(error instanceof BridgeEndedError)) throw error;
        if (bridges === BRIDGES_PER_REQUEST_MAX) throw await this.#giveUp("the runner was killed again and again");
        await unlessAborted(this.#rebridge(error), signal);
      }
    }
  }

  /** Has a new bridge opened, by whichever of the waiting requests comes first. */
  async #rebridge(ended: BridgeEndedError): Promise<void> {
    const before = this.#connection;
    const connection = await before.catch(() => null);
    if (this.#detached || this.#connection !== before || (connection && !connection.ended)) return;
    this.#log.info({ container: this.#container.id, reason: ended.message }, "runner bridge ended");
    this.#connection = this.#openAgain();
    this.#connection.catch(() => {}); // each request that waits for it gets the error
    await this.#connection;
  }

  async #openAgain(): Promise<RunnerConnection> {
    try {
      const state = await containerState(this.#container);
      if (state !== "running") throw this.#loss((await this.#overfull()) ?? `the container is ${state}`);
      const connection = await openRunnerConnection(this.#container, NEVER);
      if (this.#variables) await connection.request(environmentHeader(this.#variables), undefined, 0, NEVER);
      return connection;
    } catch (error) {
      if (error instanceof SandboxLostError) throw error;
      throw await this.#giveUp((await this.#overfull()) ?? `no new bridge could be opened: ${messageOf(error)}`);
    }
  }

  async #overfull(): Promise<string | null> {
    return overfullDisk(this.#container).catch(() => null); // another reason is at hand
  }

  /** Ends a container whose runner can't be reached, so that nothing goes on in it unseen. */
  async #giveUp(reason: string): Promise<SandboxLostError> {
    const lost = this.#loss(reason);
    try {
      await killContainer(this.#container);
    } catch (error) {
      this.#log.warn({ container: this.#container.id, error: messageOf(error) }, "lost sandbox not killed");
    }
    return lost;
  }

  #loss(reason: string): SandboxLostError {
    this.#lost ??= new SandboxLostError(`The sandbox was lost: ${reason}.`);
    void this.#connection.then((connection) => connection.close()).catch(() => {}); // there may be none
    return this.#lost;
  }
}

function environmentHeader(variables: Record<string, string>) {
  return { type: "set_environment", variables };
}

/** Waits for `promise`, but not beyond the abort of `signal`: then it rejects with the signal's reason. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
