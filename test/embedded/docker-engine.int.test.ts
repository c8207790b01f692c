import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentProgress } from "../../src/cli/progress.ts";
import { ensureDockerEngine } from "../../src/embedded/docker-engine.ts";
import { hasImage } from "../../src/embedded/engine-image.ts";
import { ensureSandboxImage, sandboxImageTag } from "../../src/embedded/sandbox-image.ts";

const log = pino({ level: "silent" });
const signal = AbortSignal.any([]);
let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "deckhand-engine-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const engine = (dockerHost: string | null) =>
  ensureDockerEngine({ home, dockerHost, log, progress: silentProgress, signal });

describe("ensureDockerEngine", () => {
  it("uses the engine that answers, and starts none in place of one that was named and does not", async () => {
    const docker = await engine(null);
    expect((await docker.version()).ApiVersion).toMatch(/^\d/);
    await expect(engine(`unix://${home}/none.sock`)).rejects.toThrow(/DOCKER_HOST=.*none\.sock does not answer/);
  });
});

describe("ensureSandboxImage", () => {
  it("gives an image that is there, under a tag that says what it was made from", async () => {
    const docker = await engine(null);
    const tag = await ensureSandboxImage({ docker, log, progress: silentProgress, signal });
    expect(tag).toBe(await sandboxImageTag());
    expect(tag).toMatch(/^deckhand\/sandbox:[0-9a-f]{12}$/);
    expect(await hasImage(docker, tag, signal)).toBe(true);
  });
});
