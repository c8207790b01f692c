import { finished } from "node:stream/promises";
import type Docker from "dockerode";
import type { Container } from "dockerode";
import { removeContainer } from "../src/sandbox/engine.ts";
import { INSTALLATION_LABEL } from "../src/sandbox/labels.ts";

/** Containers with nothing of ours in them but the image. The bench's installation has them: they are removed with it. */
export interface BareContainers {
  /** What `docker run IMAGE true` asks the engine for, less the start of its client. The container is to be removed. */
  run(): Promise<Container>;
  /** The same without a network, as sandboxes are. */
  runWithoutNetwork(): Promise<Container>;
  /** One that idles, without a network. */
  start(): Promise<Container>;
  remove(container: Container): Promise<void>;
}

export function createBareContainers(docker: Docker, image: string, installationId: string): BareContainers {
  const Labels = { [INSTALLATION_LABEL]: installationId };
  const offline = { NetworkDisabled: true, HostConfig: { NetworkMode: "none", Init: true } };

  async function run(isolation: object): Promise<Container> {
    const attached = { AttachStdout: true, AttachStderr: true };
    const container = await docker.createContainer({ Image: image, Cmd: ["true"], Labels, ...attached, ...isolation });
    const output = await container.attach({ stream: true, stdout: true, stderr: true });
    const printed = finished(output.resume());
    const ended: Promise<{ StatusCode: number }> = container.wait({ condition: "next-exit" });
    await container.start();
    const [{ StatusCode }] = await Promise.all([ended, printed]);
    if (StatusCode !== 0) throw new Error(`The bare container ended with ${StatusCode}.`);
    return container;
  }

  return {
    run: () => run({}),
    runWithoutNetwork: () => run(offline),
    async start() {
      const container = await docker.createContainer({ Image: image, Cmd: ["sleep", "infinity"], Labels, ...offline });
      await container.start();
      return container;
    },
    remove: removeContainer,
  };
}
