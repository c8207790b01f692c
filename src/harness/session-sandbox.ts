import { AppError } from "../errors.ts";
import { type Sandbox, SandboxLostError, type SandboxProvider, type SandboxShape } from "../sandbox/sandbox.ts";
import type { SandboxRecord, SandboxStore } from "../sandbox/sandbox-store.ts";
import type { SandboxRemains } from "./recover.ts";
import type { ClonedRepository, Equipment, SessionEquipment } from "./session-equipment.ts";
import type { SessionFiles } from "./session-files.ts";

export interface SessionSandboxDeps {
  provider: SandboxProvider;
  store: SandboxStore;
  files: Pick<SessionFiles, "open">;
  equipment: SessionEquipment;
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
  #equipment: Equipment | null = null;
  #equipped = false;
  /** As JSON, the variables that this sandbox was told of; null when that is not known. */
  #variables: string | null = null;

  constructor(deps: SessionSandboxDeps, session: { sessionId: string; workspaceId: string }) {
    this.#deps = deps;
    this.#session = session;
  }

  /** The sandbox if this harness has used it; null otherwise. */
  get current(): Sandbox | null {
    return this.#sandbox;
  }

  /** Looks at what an earlier harness left, joining its sandbox when it still lives. */
  remains(signal: AbortSignal): Promise<SandboxRemains> {
    return this.#afterOthers(() => this.#remains(signal));
  }

  /**
   * A sandbox that answers, with all the session's files and variables in it.
   * @param shape of the one that is made when there is none; null when one was there
   * @throws SandboxLostError
   */
  open(shape: SandboxShape | null, signal: AbortSignal): Promise<Sandbox> {
    return this.#afterOthers(() => this.#open(shape, signal));
  }

  /** What the session gives its sandbox, as it was when it was last to be looked at again. */
  async equipment(): Promise<Equipment> {
    return (this.#equipment ??= await this.#deps.equipment.of(this.#session));
  }

  /** Of what the session gives, the repositories that its sandbox does not have. */
  async missingRepositories(): Promise<ClonedRepository[]> {
    const { repositories } = await this.equipment();
    return repositories.filter(({ resourceId }) => this.#record?.mounted.includes(resourceId) !== true);
  }

  /** Remembers, for the next harness too, what was put into the sandbox. */
  async addMounted(...resourceIds: string[]): Promise<void> {
    if (!this.#record) throw new SandboxLostError("There is no sandbox that anything could have been put into.");
    this.#record = { ...this.#record, mounted: [...this.#record.mounted, ...resourceIds] };
    await this.#deps.store.save(this.#session, this.#record);
  }

  /** The session may give more than before: look again before the next model request and the next tool. */
  recheckEquipment(): void {
    this.#equipment = null;
    this.#equipped = false;
  }

  /** The next `open` makes a new one. */
  async forget(): Promise<void> {
    await this.#sandbox?.detach();
    this.#sandbox = null;
    this.#equipped = false;
    this.#variables = null;
  }

  /** One at a time: a call that was cut off cleans up first. */
  #afterOthers<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#opening.then(work);
    this.#opening = done.catch(() => undefined); // Whoever asked for it hears of the failure.
    return done;
  }

  async #remains(signal: AbortSignal): Promise<SandboxRemains> {
    if (this.#sandbox) return "attached";
    signal.throwIfAborted();
    const found = await this.#deps.store.find(this.#session.sessionId);
    this.#record = found;
    if (!found) return "never_had_one";
    if (found.asleep) await this.#deps.store.wake(this.#session.sessionId);
    this.#sandbox = await this.#deps.provider.attach(found.ref, signal);
    return this.#sandbox ? "attached" : "lost";
  }

  async #open(shape: SandboxShape | null, signal: AbortSignal): Promise<Sandbox> {
    signal.throwIfAborted();
    if (!this.#sandbox && shape) await this.#provision(shape, signal);
    const sandbox = this.#sandbox;
    if (!sandbox) throw new SandboxLostError("The sandbox was lost while it was opened.");
    if (!this.#equipped) await this.#equip(sandbox, signal);
    return sandbox;
  }

  async #provision(shape: SandboxShape, signal: AbortSignal): Promise<void> {
    const { provider, store } = this.#deps;
    this.#sandbox = await provider.provision({ sessionId: this.#session.sessionId, shape }, signal);
    this.#variables = "{}";
    const { ref, gatewayId } = this.#sandbox;
    this.#record = { ref, image: shape.image, mounted: [], gatewayId };
    // Before anything runs in it: what it asks of the gateway is asked in the session's name.
    await store.save(this.#session, this.#record);
  }

  async #equip(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
    const equipment = await this.equipment();
    await this.#setVariables(sandbox, equipment, signal);
    await this.#mount(sandbox, equipment, signal);
    this.#equipped = true;
  }

  async #setVariables(sandbox: Sandbox, { variables }: Equipment, signal: AbortSignal): Promise<void> {
    const values = Object.fromEntries(variables.map(({ name, placeholder }) => [name, placeholder]));
    const json = JSON.stringify(values);
    if (json === this.#variables) return;
    await sandbox.setEnvironment(values, signal);
    this.#variables = json;
  }

  async #mount(sandbox: Sandbox, { files }: Equipment, signal: AbortSignal): Promise<void> {
    const missing = files.filter((file) => this.#record?.mounted.includes(file.resourceId) !== true);
    for (const { fileId, mountPath } of missing) {
      const file = await this.#openFile(fileId);
      if (file) await sandbox.putUpload(mountPath, file.content, file.size, signal);
    }
    if (missing.length > 0) await this.addMounted(...missing.map((file) => file.resourceId));
  }

  /** Null for one that was taken out of the session since the session was looked at. */
  async #openFile(fileId: string) {
    try {
      return await this.#deps.files.open(this.#session.workspaceId, fileId);
    } catch (error) {
      if (error instanceof AppError && error.code === "not_found") return null;
      throw error;
    }
  }
}
