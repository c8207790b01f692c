import type { Duplex } from "node:stream";
import type { Container } from "dockerode";
import { TOOL_USER } from "../src/sandbox/container-config.ts";
import { demultiplexer } from "../src/sandbox/frames.ts";

export interface BareShell {
  /** Resolves when the command has ended. One at a time. */
  run(command: string): Promise<void>;
  close(): void;
}

/** A bash whose stdin and stdout are an exec's: the least there can be between a harness and a command. */
export async function openBareShell(container: Container): Promise<BareShell> {
  const exec = await container.exec({
    Cmd: ["bash", "--noprofile", "--norc"],
    User: TOOL_USER,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream: Duplex = await exec.start({ hijack: true, stdin: true });
  let settle: (() => void) | null = null;
  const onOutput = demultiplexer(
    (part) => {
      if (part.at(-1) === "\n".charCodeAt(0)) settle?.();
    },
    () => undefined,
  );
  stream.on("data", onOutput);
  return {
    run(command: string): Promise<void> {
      return new Promise((resolve) => {
        settle = resolve;
        stream.write(`${command}; echo "$?"\n`);
      });
    },
    close: () => stream.destroy(),
  };
}
