import type { Container } from "dockerode";
import { containerState, engineCall, isConflict, isNotFound, killContainer } from "./engine.ts";

/** Frees the processor; memory and processes stay. No error when it does not run, or is gone. */
export async function pauseContainer(container: Container): Promise<void> {
  try {
    await engineCall("pause", (abortSignal) => container.pause({ abortSignal }));
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** Ends its processes; the disk stays. No error when it does not run, or is gone. */
export async function stopContainer(container: Container): Promise<void> {
  // The engine kills nothing that is paused. Nobody inside needs time to end well: what is written stays written.
  if ((await containerState(container)) === "paused") {
    await engineCall("unpause", (abortSignal) => container.unpause({ abortSignal }));
  }
  await killContainer(container);
}
