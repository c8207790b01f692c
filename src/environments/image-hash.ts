import { createHash } from "node:crypto";
import type { Packages } from "../schemas/environment.ts";
import { PACKAGE_MANAGERS } from "./environment-config.ts";

/** Counted up when packages are to be installed in another way, so that no image of the way before is used again. */
const RECIPE = 1;
const HEX_CHARS = 32;

export interface ImageContent {
  /** Several may share an engine; each removes only its own images. */
  installationId: string;
  /** What one workspace installs is nothing that another one runs. */
  workspaceId: string;
  /** As the engine has it: another one after the base image was made anew under the same name. */
  baseImageId: string;
  packages: Packages;
}

/** Names the image of these packages. The order counts: package managers are asked in it. Pure. */
export function imageHash({ installationId, workspaceId, baseImageId, packages }: ImageContent): string {
  const lists = PACKAGE_MANAGERS.map((manager) => packages[manager]);
  const content = JSON.stringify([RECIPE, installationId, workspaceId, baseImageId, lists]);
  return createHash("sha256").update(content).digest("hex").slice(0, HEX_CHARS);
}
