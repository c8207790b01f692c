import type Docker from "dockerode";
import { engineCall, isNotFound } from "../sandbox/engine.ts";

export async function hasImage(docker: Docker, tag: string, signal: AbortSignal): Promise<boolean> {
  try {
    await engineCall("inspect image", () => docker.getImage(tag).inspect(), { signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
