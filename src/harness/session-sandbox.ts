import { type Sandbox, SandboxLostError, type SandboxProvider, type SandboxShape } from "../sandbox/sandbox.ts";
import type { SandboxRecord, SandboxStore } from "../sandbox/sandbox-store.ts";
import type { SandboxRemains } from "./recover.ts";
import type { MountedFile, SessionFiles } from "./session-files.ts";

export interface SessionSandboxDeps {
  provider: SandboxProvider;
  store: SandboxStore;
  files: SessionFiles;
  /** For sandboxes made from now on. */
  shape: SandboxShape;
}

/**
 * The one sandbox of a session, found or made when a tool first needs it and never before: the model answers without
 * waiting for Docker.
 */
export class SessionSandbox {
  readonly #deps: SessionSandboxDeps;
  readonly #session: { sessionId: string; workspaceId: string };
  #sandbox: Sandbox | null = null;
  #opening: Promise<unknown> = Promise.resolve();
  #record: SandboxRecord | null = null;
  #mounts: MountedFile[] | null = null;
  #mountsChecked = false;

  constructor(deps: SessionSandboxDeps, session: { sessionId: string; workspaceId: string }) {
    this.#deps = deps;
    this.#session = session;
  }

  /** The sandbox if this harness has used it; null otherwise. */
  get current(): Sandbox | null {
    return this.#sandbox;
  }

  /** Looks at what an earlier harness left, joining its sandbox when it still lives. */
  async remains(signal: AbortSignal): Promise<SandboxRemains> {
    if (this.#sandbox) return "attached";
    this.#record = await this.#deps.store.find(this.#session.sessionId);
    if (!this.#record) return "never_had_one";
    this.#sandbox = await this.#deps.provider.attach(this.#record.ref, signal);
    return this.#sandbox ? "attached" : "lost";
  }

  /** A sandbox that answers, with all the session's files in it. One at a time: a call that was cut off cleans up first. */
  open(signal: AbortSignal): Promise<Sandbox> {
    const opened = this.#opening.then(() => this.#open(signal));
    this.#opening = opened.catch(() => undefined); // Whoever asked for it hears of the failure.
    return opened;
  }

  async #open(signal: AbortSignal): Promise<Sandbox> {
    signal.throwIfAborted();
    if (!this.#sandbox && (await this.remains(signal)) !== "attached") await this.#provision(signal);
    const sandbox = this.#sandbox;
    if (!sandbox) throw new SandboxLostError("The sandbox was lost while it was opened.");
    if (!this.#mountsChecked) await this.#mount(sandbox, signal);
    return sandbox;
  }

  /** The session's files, as they were when they were last to be looked at again. */
  async mounts(): Promise<readonly MountedFile[]> {
    return (this.#mounts ??= await this.#deps.files.mounted(this.#session.sessionId));
  }

  /** Files may have been added to the session: look again before the next model request and the next tool. */
  recheckMounts(): void {
    this.#mounts = null;
    this.#mountsChecked = false;
  }

  /** The next `open` makes a new one. */
  async forget(): Promise<void> {
    await this.#sandbox?.detach();
    this.#sandbox = null;
    this.#mountsChecked = false;
  }

  async #provision(signal: AbortSignal): Promise<void> {
    const { provider, store, shape } = this.#deps;
    this.#sandbox = await provider.provision({ sessionId: this.#session.sessionId, shape }, signal);
    const { ref, gatewayId } = this.#sandbox;
    this.#record = { ref, image: shape.image, mounted: [], gatewayId };
    await store.save(this.#session, this.#record);
  }

  async #mount(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
    const files = await this.mounts();
    const { ref, image, gatewayId } = sandbox;
    const record = this.#record ?? { ref, image, mounted: [], gatewayId };
    const missing = files.filter((file) => !record.mounted.includes(file.resourceId));
    for (const file of missing) {
      const { content, size } = await this.#deps.files.open(this.#session.workspaceId, file.fileId);
      await sandbox.putUpload(file.mountPath, content, size, signal);
    }
    if (missing.length > 0) {
      this.#record = { ...record, mounted: [...record.mounted, ...missing.map((file) => file.resourceId)] };
      await this.#deps.store.save(this.#session, this.#record);
    }
    this.#mountsChecked = true;
  }
}
