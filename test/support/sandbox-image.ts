import Docker from "dockerode";
import { createProgress } from "../../src/cli/progress.ts";
import { ensureSandboxImage } from "../../src/embedded/sandbox-image.ts";
import { createLog } from "../../src/log.ts";

/** The image of the sandbox as it is in this checkout, built when the engine lacks it. */
export const SANDBOX_IMAGE = await ensureSandboxImage({
  docker: new Docker(),
  log: createLog("warn"),
  progress: createProgress(process.stderr),
  signal: new AbortController().signal,
});
