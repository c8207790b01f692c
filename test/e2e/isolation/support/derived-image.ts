import { randomBytes } from "node:crypto";
import Docker from "dockerode";
import { SANDBOX_IMAGE } from "../../../support/sandbox-image.ts";

/** The sandbox image after a script that root ran in it. */
export async function deriveImage(script: string): Promise<{ image: string; remove(): Promise<void> }> {
  const docker = new Docker();
  const [repo, tag] = ["deckhand-test/derived", randomBytes(6).toString("hex")];
  const { Config } = await docker.getImage(SANDBOX_IMAGE).inspect();
  const container = await docker.createContainer({
    Image: SANDBOX_IMAGE,
    User: "0:0",
    Cmd: ["sh", "-euc", script],
    NetworkDisabled: true,
  });
  try {
    await container.start();
    await container.wait();
    const changes = `USER ${Config.User || "0:0"}\nCMD ${JSON.stringify(Config.Cmd ?? [])}`;
    await container.commit({ repo, tag, changes });
  } finally {
    await container.remove({ force: true });
  }
  const image = `${repo}:${tag}`;
  return { image, remove: () => docker.getImage(image).remove({ force: true }) };
}
