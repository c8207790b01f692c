import { afterAll } from "vitest";
import { describeSandboxProvider } from "../contracts/sandbox-provider.ts";
import { SANDBOX_IMAGE } from "../support/sandbox-image.ts";
import { createTestSandboxes } from "../support/sandboxes.ts";

const sandboxes = createTestSandboxes();
afterAll(() => sandboxes.removeAll());

describeSandboxProvider("docker", {
  image: SANDBOX_IMAGE,
  provider: () => sandboxes.provider(),
  lose: (ref) => sandboxes.docker.getContainer(ref).remove({ force: true }),
  count: async () => (await sandboxes.containerNames()).length,
});
