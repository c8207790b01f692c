import type { Readable } from "node:stream";
import type { Container } from "dockerode";
import { z } from "zod";
import { engineCall, isConflict, isNotFound } from "./engine.ts";
import { parseOutputListing } from "./output-file.ts";
import type { Runner } from "./runner.ts";
import type { SandboxContainer } from "./sandbox-containers.ts";
import { type OutputFile, type Sandbox, SandboxLostError, type SandboxOp, type SandboxResult } from "./sandbox.ts";
import { UPLOADS_DIR, uploadArchive, uploadPath } from "./upload-archive.ts";

/** As the runner has it, for commands that name no timeout of their own. */
const BASH_TIMEOUT_MS = 120_000;
/** By how much a request may outlast the times that the runner keeps itself. */
const GRACE_MS = 30_000;
const FILE_TOOL_TIMEOUT_MS = 120_000;
/** As the runner has it. */
const CLONE_TIMEOUT_MS = 600_000;
const TRANSFER_TIMEOUT_MS = 300_000;
const OUTPUT_PART_BYTES = 1024 * 1024;
const PREVIEW_TIMEOUT_MS = 300_000;
const PREVIEW_BYTES_MAX = 20 * 1024 * 1024;
/** How long an aborted call may take to be killed before its caller is told anyway. */
const CANCEL_TIMEOUT_MS = 2_000;

const NEVER = new AbortController().signal;

const CallResult = z.object({
  content: z.array(
    z.discriminatedUnion("type", [
      z.object({ type: z.literal("text"), text: z.string() }),
      z.object({ type: z.literal("image"), media_type: z.string(), data: z.string() }),
      z.object({ type: z.literal("document"), media_type: z.string(), data: z.string() }),
    ]),
  ),
  is_error: z.boolean(),
});

/** A sandbox that is a container with a runner in it. `onDetach` is told once. */
export class DockerSandbox implements Sandbox {
  readonly ref: string;
  readonly image: string;
  readonly gatewayId: string | null;
  readonly #container: Container;
  readonly #runner: Runner;
  readonly #onDetach: (sandbox: DockerSandbox) => void;
  /** The most time the bash calls under way may take together: the runner lets them wait for one another. */
  #bashMsUnderWay = 0;

  constructor(
    { container, image, gatewayId }: SandboxContainer,
    runner: Runner,
    onDetach: (sandbox: DockerSandbox) => void,
  ) {
    this.ref = container.id;
    this.image = image;
    this.gatewayId = gatewayId;
    this.#container = container;
    this.#runner = runner;
    this.#onDetach = onDetach;
  }

  async call(callId: string, op: SandboxOp, signal: AbortSignal): Promise<SandboxResult> {
    signal.throwIfAborted();
    const ownMs = op.op === "bash" ? (op.timeout_ms ?? BASH_TIMEOUT_MS) : 0;
    this.#bashMsUnderWay += ownMs;
    const deadlineMs = GRACE_MS + (op.op === "bash" ? this.#bashMsUnderWay : timeoutOf(op));
    try {
      const { header } = await this.#runner.request({ ...callRequest(callId, op), deadlineMs }, signal);
      const { content, is_error } = CallResult.parse(header.result);
      return { content, isError: is_error };
    } catch (error) {
      if (signal.aborted) await this.#cancel(callId);
      throw error;
    } finally {
      this.#bashMsUnderWay -= ownMs;
    }
  }

  async setEnvironment(variables: Record<string, string>, signal: AbortSignal): Promise<void> {
    await this.#runner.setEnvironment(variables, GRACE_MS, signal);
  }

  async putUpload(path: string, content: Readable, size: number, signal: AbortSignal): Promise<void> {
    const { archive, filled } = uploadArchive(uploadPath(path), content, size);
    const put = engineCall(
      "put archive",
      (abortSignal) => this.#container.putArchive(archive, { path: UPLOADS_DIR, abortSignal }),
      { signal, timeoutMs: TRANSFER_TIMEOUT_MS },
    );
    // Whichever side ends first ends the other: nobody reads the archive of a request that failed.
    const [stored, sent] = await Promise.allSettled([
      put.finally(() => archive.destroy()),
      filled.finally(() => content.destroy()),
    ]);
    signal.throwIfAborted();
    if (stored.status === "rejected" && (isNotFound(stored.reason) || isConflict(stored.reason))) {
      throw new SandboxLostError("The sandbox was lost: the container is gone.", { cause: stored.reason });
    }
    if (sent.status === "rejected") throw sent.reason;
    if (stored.status === "rejected") throw stored.reason;
  }

  async writeText(path: string, text: string, signal: AbortSignal): Promise<void> {
    const header = { type: "write_text", path };
    await this.#runner.request({ header, body: Buffer.from(text), deadlineMs: TRANSFER_TIMEOUT_MS }, signal);
  }

  async listOutputs(signal: AbortSignal): Promise<OutputFile[]> {
    const request = { header: { type: "list_outputs" }, deadlineMs: TRANSFER_TIMEOUT_MS };
    const { header } = await this.#runner.request(request, signal);
    return parseOutputListing(header.files);
  }

  async *readOutput(file: OutputFile, signal: AbortSignal): AsyncGenerator<Buffer> {
    let leftMs = TRANSFER_TIMEOUT_MS;
    let state: string | undefined;
    let offset = 0;
    // A file of no bytes is asked for as well: it too may have become something else.
    do {
      const length = Math.min(OUTPUT_PART_BYTES, file.size - offset);
      const request = { header: partRequest(file, offset, length), bodyBytesMax: length, deadlineMs: leftMs };
      // What the reader does with a part is not the runner's time.
      const askedAt = performance.now();
      const { header, body } = await this.#runner.request(request, signal);
      leftMs -= performance.now() - askedAt;
      if (body.length !== length || (offset > 0 && header.state !== state)) {
        throw new Error(`${file.path}: has changed since it was listed`);
      }
      state = header.state;
      offset += length;
      if (length > 0) yield body;
    } while (offset < file.size);
  }

  async renderPreview(path: string, signal: AbortSignal): Promise<Buffer | null> {
    const header = { type: "render_preview", path };
    const request = { header, bodyBytesMax: PREVIEW_BYTES_MAX, deadlineMs: PREVIEW_TIMEOUT_MS };
    const { header: reply, body } = await this.#runner.request(request, signal);
    return reply.ok && isPng(body) ? body : null;
  }

  async detach(): Promise<void> {
    this.#onDetach(this);
    await this.#runner.detach();
  }

  /** Whether it can be handed out: its runner is attached. */
  isReady(): Promise<boolean> {
    return this.#runner.isConnected();
  }

  /** Returns when the runner has killed the call, or can't be waited for. The caller has the abort to report, not this. */
  async #cancel(callId: string): Promise<void> {
    const request = { header: { type: "cancel", call_id: callId }, deadlineMs: GRACE_MS };
    const cancelled = this.#runner.request(request, NEVER).catch(() => null);
    const waited = Promise.withResolvers<null>();
    const timer = setTimeout(() => waited.resolve(null), CANCEL_TIMEOUT_MS);
    await Promise.race([cancelled, waited.promise]);
    clearTimeout(timer);
  }
}

/** The text of a file travels as the request's body: it may be large. */
function callRequest(callId: string, op: SandboxOp) {
  if (op.op !== "write") return { header: { type: "call", call_id: callId, op } };
  const { content, ...rest } = op;
  return { header: { type: "call", call_id: callId, op: rest }, body: Buffer.from(content) };
}

function timeoutOf(op: SandboxOp): number {
  return op.op === "clone" ? (op.timeout_ms ?? CLONE_TIMEOUT_MS) : FILE_TOOL_TIMEOUT_MS;
}

function partRequest({ path, size, mtimeNs }: OutputFile, offset: number, length: number) {
  return { type: "read_output_part", path, size, mtime_ns: mtimeNs, offset, length };
}

function isPng(bytes: Buffer): boolean {
  return bytes.subarray(0, 8).toString("latin1") === "\x89PNG\r\n\x1a\n";
}
