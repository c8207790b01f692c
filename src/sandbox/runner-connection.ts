import type { Duplex } from "node:stream";
import type { Container } from "dockerode";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import { TOOL_USER } from "./container-config.ts";
import { ENGINE_TIMEOUT_MS, engineCall } from "./engine.ts";
import { demultiplexer, encodeFrame, type Frame, frameDecoder } from "./frames.ts";

const BRIDGE_COMMAND = ["python3", "-E", "-s", "-S", "/opt/deckhand/runner/bridge.py"];
const PING_INTERVAL_MS = 5_000;
/** A runner that says nothing for so long, not even to a ping, is stopped, starved or not ours. */
const SILENCE_MAX_MS = 20_000;
const STDERR_CHARS_MAX = 2_000;

const ReplyHeader = z.object({
  id: z.number().int().optional(),
  hello: z.number().optional(),
  more: z.boolean().optional(),
  error: z.string().optional(),
  ok: z.boolean().optional(),
  result: z.unknown().optional(),
  files: z.unknown().optional(),
  state: z.string().optional(),
});
export type ReplyHeader = z.infer<typeof ReplyHeader>;

export interface Reply {
  header: ReplyHeader;
  body: Buffer;
}

/** The way to the runner is gone; what the runner does with the requests under way is not known. */
export class BridgeEndedError extends Error {
  override readonly name = "BridgeEndedError";
}

/** The runner is there but does not answer. */
export class RunnerSilentError extends Error {
  override readonly name = "RunnerSilentError";
}

/** The runner could not do what was asked; the message says why. */
export class RunnerRefusal extends Error {
  override readonly name = "RunnerRefusal";
}

interface Pending {
  resolve(reply: Reply): void;
  reject(error: Error): void;
  bodyBytesMax: number;
  parts: Buffer[];
  bodyBytes: number;
}

/**
 * One bridge: a long-lived exec whose stdio the runner has taken over. Starts the runner where there is none.
 * @throws BridgeEndedError | RunnerSilentError | the engine's error | the signal's reason
 */
export async function openRunnerConnection(container: Container, signal: AbortSignal): Promise<RunnerConnection> {
  const exec = await engineCall(
    "exec create",
    (abortSignal) =>
      container.exec({
        Cmd: BRIDGE_COMMAND,
        User: TOOL_USER,
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        abortSignal,
      }),
    { signal },
  );
  const stream = await engineCall(
    "exec start",
    (abortSignal) => exec.start({ hijack: true, stdin: true, abortSignal }),
    { signal },
  );
  const connection = new RunnerConnection(stream);
  try {
    await engineCall("runner start", () => connection.greeted, { signal, timeoutMs: ENGINE_TIMEOUT_MS });
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

export class RunnerConnection {
  /** Resolves when the runner has taken over. */
  readonly greeted: Promise<void>;
  readonly #stream: Duplex;
  readonly #greeting = Promise.withResolvers<void>();
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended: Error | null = null;
  #stderr = "";
  #lastFrameAt = 0;
  #watch: NodeJS.Timeout | null = null;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.greeted = this.#greeting.promise;
    this.greeted.catch(() => {}); // whoever opens the connection waits for it; a rejection after that has no reader
    const decode = frameDecoder((frame) => this.#receive(frame));
    const demultiplex = demultiplexer(decode, (part) => {
      this.#stderr = (this.#stderr + part.toString()).slice(-STDERR_CHARS_MAX);
    });
    stream.on("data", (chunk: Buffer) => {
      try {
        demultiplex(chunk);
      } catch (error) {
        this.#end(new BridgeEndedError(`The runner sent what is no frame: ${messageOf(error)}`, { cause: error }));
      }
    });
    stream.on("error", (error) => this.#end(new BridgeEndedError("The bridge broke.", { cause: error })));
    stream.on("end", () => this.#end(new BridgeEndedError(`The bridge ended. ${this.#stderr}`.trim())));
    stream.on("close", () => this.#end(new BridgeEndedError(`The bridge was closed. ${this.#stderr}`.trim())));
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  /**
   * Sends a request and waits for its reply, in which at most `bodyBytesMax` bytes may follow. When the signal aborts it
   * rejects with the signal's reason at once, and the runner is told that nobody waits for a reply.
   * @throws RunnerRefusal | BridgeEndedError | RunnerSilentError
   */
  async request(
    header: object,
    body: Uint8Array | undefined,
    bodyBytesMax: number,
    signal: AbortSignal,
  ): Promise<Reply> {
    if (this.#ended) throw this.#ended;
    signal.throwIfAborted();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    if (this.#pending.size === 0) this.#startWatch();
    this.#pending.set(id, { resolve, reject, bodyBytesMax, parts: [], bodyBytes: 0 });
    const onAbort = () => {
      this.#stream.write(encodeFrame({ id, type: "abandon" }));
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#stream.write(encodeFrame({ id, ...header }, body));
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#pending.delete(id);
      if (this.#pending.size === 0) this.#stopWatch();
    }
  }

  /** Lets go of the runner, which goes on with the calls it has. Idempotent. */
  close(): void {
    this.#end(new BridgeEndedError("The bridge was closed by the harness."));
  }

  #receive(frame: Frame): void {
    this.#lastFrameAt = performance.now();
    const header = ReplyHeader.parse(JSON.parse(frame.header.toString()));
    if (header.hello !== undefined) this.#greeting.resolve();
    const pending = header.id === undefined ? undefined : this.#pending.get(header.id);
    if (!pending) return; // a reply that is no longer waited for, or to a ping
    pending.bodyBytes += frame.body.length;
    if (pending.bodyBytes > pending.bodyBytesMax) throw new Error(`more than ${pending.bodyBytesMax} bytes in a reply`);
    if (frame.body.length > 0) pending.parts.push(frame.body);
    if (header.more) return;
    if (header.error === undefined) pending.resolve({ header, body: Buffer.concat(pending.parts) });
    else pending.reject(new RunnerRefusal(header.error));
  }

  #startWatch(): void {
    this.#lastFrameAt = performance.now();
    this.#watch = setInterval(() => {
      if (performance.now() - this.#lastFrameAt < SILENCE_MAX_MS) {
        this.#stream.write(encodeFrame({ id: 0, type: "ping" }));
      } else {
        this.#end(new RunnerSilentError(`The runner has said nothing for ${SILENCE_MAX_MS} ms.`));
      }
    }, PING_INTERVAL_MS);
  }

  #stopWatch(): void {
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
  }

  #end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#stopWatch();
    this.#greeting.reject(reason);
    for (const pending of this.#pending.values()) pending.reject(reason);
    this.#stream.destroy();
  }
}
