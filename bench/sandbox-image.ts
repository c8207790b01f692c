import { readFile } from "node:fs/promises";
import path from "node:path";
import Docker from "dockerode";
import { INSTALLATION_LABEL } from "../src/sandbox/labels.ts";

/** The image that the Deckhand in `home`, whose pool must have begun to fill, makes its sandboxes from. */
export async function sandboxImage(home: string): Promise<string> {
  const installationId = (await readFile(path.join(home, "installation-id"), "utf8")).trim();
  const filters = JSON.stringify({ label: [`${INSTALLATION_LABEL}=${installationId}`] });
  const [container] = await new Docker().listContainers({ all: true, filters });
  if (!container) throw new Error("The Deckhand under test has made no container yet.");
  return container.Image;
}
