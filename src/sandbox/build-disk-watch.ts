import type { Container } from "dockerode";
import { z } from "zod";
import { messageOf } from "../errors.ts";
import type { Logger } from "../log.ts";
import { engineCall } from "./engine.ts";

const LOOK_EVERY_MS = 3_000;
const MIB = 1024 * 1024;

const Sized = z.object({ SizeRw: z.number().default(0) });

/** Tells, in a sentence, when the container has written more than `diskBytes`. Late by nature: what is written between two looks is written. */
export function watchBuildDisk(
  container: Container,
  diskBytes: number,
  { onFull, log }: { onFull(message: string): void; log: Logger },
): { stop(): void } {
  let stopped = false;
  const look = async () => {
    try {
      // The types of dockerode know neither the option nor the answer.
      const query: object = { size: true };
      const inspected = await engineCall("inspect with size", (abortSignal) =>
        container.inspect({ ...query, abortSignal }),
      );
      const usedBytes = Sized.parse(inspected).SizeRw;
      if (usedBytes > diskBytes) onFull(`It needs more than the ${Math.floor(diskBytes / MIB)} MB of disk there are.`);
    } catch (error) {
      log.debug({ container: container.id, error: messageOf(error) }, "disk use of a build not looked at");
    }
    if (!stopped) timer = setTimeout(() => void look(), LOOK_EVERY_MS);
  };
  let timer = setTimeout(() => void look(), LOOK_EVERY_MS);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
