import { expect, it } from "vitest";
import { createBuildHint } from "../../src/environments/build-hint.ts";
import { EnvironmentBuildError } from "../../src/environments/environment-images.ts";
import { createLog } from "../../src/log.ts";
import { buildEnvironment } from "../../workers/build-environments.ts";

const log = createLog("silent");
const NEVER = new AbortController().signal;

it("builds what the queue says; packages that can't be installed are no failure of the worker", async () => {
  const built: string[] = [];
  const images = {
    async build(workspaceId: string, id: string) {
      built.push(`${workspaceId}/${id}`);
      if (id === "bad") throw new EnvironmentBuildError("No matching distribution");
      if (id === "broken") throw new Error("the engine is gone");
    },
    hashOf: async () => null,
  };
  const handle = (id: string) => buildEnvironment({ images, log }, { workspace_id: "w", environment_id: id }, NEVER);
  await handle("good");
  await handle("bad");
  await expect(handle("broken")).rejects.toThrow("the engine is gone");
  expect(built).toEqual(["w/good", "w/bad", "w/broken"]);
});

it("an environment is saved all the same when the hint for its build is lost", async () => {
  const hint = createBuildHint({ enqueue: () => Promise.reject(new Error("the queue is gone")) }, log);
  await expect(hint({ workspaceId: "w", id: "env" })).resolves.toBeUndefined();
});
