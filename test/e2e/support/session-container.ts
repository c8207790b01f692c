import { finished } from "node:stream/promises";
import Docker from "dockerode";
import { findInstallation } from "../../../bench/installation.ts";
import { pollUntil } from "../../../src/embedded/poll.ts";
import { TOOL_USER } from "../../../src/sandbox/container-config.ts";
import { containerNames } from "../../../src/sandbox/labels.ts";

const WAIT_TIMEOUT_MS = 30_000;

/** A session's container, seen from the engine. */
export interface SessionContainer {
  /** Runs a shell command beside the runner; true when it succeeds. */
  succeeds(command: string): Promise<boolean>;
  /** Waits until the file is there. */
  hasFile(path: string): Promise<void>;
  /** Kills and removes it. */
  remove(): Promise<void>;
}

/** @throws when the session does not get a container in time */
export async function containerOf(home: string, sessionId: string): Promise<SessionContainer> {
  const installation = await findInstallation(home);
  const names = containerNames(installation.id);
  const wait = { timeoutMs: WAIT_TIMEOUT_MS, signal: AbortSignal.any([]) };
  const info = await pollUntil(
    "the session's container",
    async () => {
      const all = await installation.containers();
      const started = all.filter(({ State }) => State === "running");
      return started.find(({ Names }) => Names.some((name) => names.sessionOf(name.slice(1)) === sessionId));
    },
    wait,
  );
  const container = new Docker().getContainer(info.Id);

  const succeeds = async (command: string) => {
    const exec = await container.exec({
      Cmd: ["sh", "-c", command],
      User: TOOL_USER,
      AttachStdout: true,
      AttachStderr: true,
    });
    const output = await exec.start({ hijack: true, stdin: false });
    output.resume();
    await finished(output);
    return (await exec.inspect()).ExitCode === 0;
  };
  return {
    succeeds,
    async hasFile(path) {
      await pollUntil(`${path} in the container`, async () => (await succeeds(`test -e ${path}`)) || undefined, wait);
    },
    remove: () => container.remove({ force: true, v: true }),
  };
}
