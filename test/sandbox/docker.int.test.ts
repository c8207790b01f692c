import { afterAll } from "vitest";
import { describeSandboxProvider } from "../contracts/sandbox-provider.ts";
import { createTestSandboxes, SHAPE } from "../support/sandboxes.ts";

const sandboxes = createTestSandboxes();
afterAll(() => sandboxes.removeAll());

describeSandboxProvider("docker", {
  shape: SHAPE,
  provider: () => sandboxes.provider(),
  lose: (ref) => sandboxes.docker.getContainer(ref).remove({ force: true }),
  count: async () => (await sandboxes.containerNames()).length,
});
