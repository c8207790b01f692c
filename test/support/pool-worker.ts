import Docker from "dockerode";
import { createLog } from "../../src/log.ts";
import { DEFAULT_LIMITS } from "../../src/sandbox/container-config.ts";
import { createDockerSandboxProvider } from "../../src/sandbox/docker.ts";

// A process with a pool of two and one claimed sandbox, made to be killed. Tells its parent which one it claimed.
const [installationId = "", image = "", sessionId = ""] = process.argv.slice(2);
const shape = { image, limits: DEFAULT_LIMITS, runtime: null };
const provider = createDockerSandboxProvider({
  docker: new Docker(),
  installationId,
  pool: { shape, size: 2 },
  log: createLog("silent"),
});
await provider.poolFilled();
const { ref } = await provider.provision({ sessionId, shape }, new AbortController().signal);
process.send?.(ref);
