import { randomBytes } from "node:crypto";
import Docker from "dockerode";
import { expect } from "vitest";
import { createLog } from "../../src/log.ts";
import { createDockerSandboxProvider, type DockerSandboxProvider } from "../../src/sandbox/docker.ts";
import type { DockerSandboxProviderOptions } from "../../src/sandbox/docker.ts";
import { INSTALLATION_LABEL } from "../../src/sandbox/labels.ts";
import type { Sandbox, SandboxOp, SandboxResult } from "../../src/sandbox/sandbox.ts";
import { SANDBOX_IMAGE } from "./sandbox-image.ts";
import { shapeOf } from "./sandbox-shape.ts";

export const NEVER = new AbortController().signal;

export const SHAPE = shapeOf(SANDBOX_IMAGE);

/** Sandboxes of an installation of their own, on the real engine. */
export interface TestSandboxes {
  docker: Docker;
  installationId: string;
  /** A provider as another process of the installation would have it. */
  provider(options?: Partial<DockerSandboxProviderOptions>): DockerSandboxProvider;
  /** A sandbox for a new session. */
  open(): Promise<Sandbox>;
  /** Names of all containers there are. */
  containerNames(): Promise<string[]>;
  /** Closes the providers and removes every container. */
  removeAll(): Promise<void>;
}

export function createTestSandboxes(): TestSandboxes {
  const docker = new Docker();
  const installationId = `test-${randomBytes(6).toString("hex")}`;
  const providers: DockerSandboxProvider[] = [];

  const provider: TestSandboxes["provider"] = (options = {}) => {
    const pool = { shape: SHAPE, size: 0 };
    const created = createDockerSandboxProvider({ docker, installationId, pool, log: createLog("silent"), ...options });
    providers.push(created);
    return created;
  };
  const containers = () =>
    docker.listContainers({ all: true, filters: { label: [`${INSTALLATION_LABEL}=${installationId}`] } });

  return {
    docker,
    installationId,
    provider,
    open: () => provider().provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER),
    containerNames: async () => (await containers()).flatMap(({ Names }) => Names.map((name) => name.slice(1))),
    async removeAll() {
      await Promise.all(providers.map((each) => each.close()));
      const left = await containers();
      await Promise.all(left.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
    },
  };
}

export function newSessionId(): string {
  return `sesn_${randomBytes(6).toString("hex")}`;
}

export function newCallId(): string {
  return `sevt_${randomBytes(8).toString("hex")}`;
}

/** Runs one tool call under a new id. */
export function run(sandbox: Sandbox, op: SandboxOp): Promise<SandboxResult> {
  return sandbox.call(newCallId(), op, NEVER);
}

/** Runs a command and returns what it printed, whether it failed or not. */
export async function bash(sandbox: Sandbox, command: string): Promise<string> {
  return textOf(await run(sandbox, { op: "bash", command }));
}

/** The text of a result that has nothing but text. */
export function textOf({ content }: SandboxResult): string {
  return content
    .map((part) => {
      expect(part.type).toBe("text");
      return part.type === "text" ? part.text : "";
    })
    .join("");
}
