import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createLog } from "../../src/log.ts";
import { createDockerImageBuilder } from "../../src/sandbox/build-docker.ts";
import { type ImageBuild, PackagesFailedError } from "../../src/sandbox/build-image.ts";
import { DEFAULT_LIMITS } from "../../src/sandbox/container-config.ts";
import { newSlot } from "../../src/sandbox/labels.ts";
import type { Packages } from "../../src/schemas/environment.ts";
import {
  APT_SOURCE,
  aptRegistry,
  NPM_REGISTRY,
  npmRegistry,
  PIP_INDEX,
  pipRegistry,
} from "../fakes/package-registries.ts";
import { createRegistryGateway, type RegistryGateway } from "../fakes/registry-gateway.ts";
import { createTestSandboxes, NEVER } from "../support/sandboxes.ts";
import { SANDBOX_IMAGE } from "../support/sandbox-image.ts";

const MIB = 1024 * 1024;
const FOREVER = "sleep 600";
const HOG = "for part in 1 2 3 4 5; do head -c 8000000 /dev/zero > /var/tmp/$part; done";
/** The sandbox image with its package managers pointed at our registries. */
const CONFIGURE = `
rm -rf /etc/apt/sources.list.d/* /etc/apt/auth.conf.d/*
echo '${APT_SOURCE}' > /etc/apt/sources.list
echo 'registry=${NPM_REGISTRY}' > /etc/npmrc
printf '[global]\\nindex-url=${PIP_INDEX}\\n' > /etc/pip.conf`;

const sandboxes = createTestSandboxes();
const { docker, installationId } = sandboxes;
const baseImage = `deckhand-test/base:${randomBytes(6).toString("hex")}`;
let root: string;
let gateway: RegistryGateway;

const builderWith = (options: { stepTimeoutMs?: number } = {}) =>
  createDockerImageBuilder({ docker, installationId, gatewayDirs: gateway, log: createLog("silent"), ...options });

const packages = (lists: Partial<Packages>): Packages => ({
  ...{ type: "packages", apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
  ...lists,
});

function buildOf(lists: Partial<Packages>, options: Partial<ImageBuild> = {}) {
  const steps: string[] = [];
  const build: ImageBuild = {
    hash: randomBytes(16).toString("hex"),
    slot: newSlot(),
    baseImage,
    packages: packages(lists),
    limits: DEFAULT_LIMITS,
    signal: NEVER,
    onStep: async (step) => void steps.push(step),
    ...options,
  };
  return { build, steps };
}

/** What a command prints to a tool of a sandbox of this image. */
async function runAsTool(image: string, command: string): Promise<string> {
  const container = await docker.createContainer({
    Image: image,
    User: "1000:1000",
    Cmd: ["sh", "-c", command],
    NetworkDisabled: true,
    Tty: true,
  });
  try {
    await container.start();
    await container.wait();
    return (await container.logs({ stdout: true, stderr: true })).toString().replaceAll("\r\n", "\n");
  } finally {
    await container.remove({ force: true });
  }
}

async function expectNothingLeft(builder: ReturnType<typeof builderWith>, build: ImageBuild) {
  expect(await builder.slots()).toEqual([]);
  expect(await gateway.list()).toEqual([]);
  expect(await builder.find(build.hash, NEVER)).toBeNull();
}

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), "dh-build-"));
  const apt = await aptRegistry([
    {
      name: "hello-deb",
      files: { "usr/bin/hello-deb": { content: "#!/bin/sh\necho hello from apt\n", mode: 0o755 } },
      postinst: "chown 33:33 /usr/bin/hello-deb",
    },
    { name: "hello-forever", files: {}, postinst: FOREVER },
    { name: "hello-hog", files: {}, postinst: `${HOG}; ${FOREVER}` },
  ]);
  const npm = await npmRegistry("hello-npm", "console.log('hello from npm')");
  const pip = pipRegistry("hello_pip", "print('hello from pip')");
  gateway = createRegistryGateway(root, new Map([...apt, ...npm, ...pip]));

  const container = await docker.createContainer({
    Image: SANDBOX_IMAGE,
    Cmd: ["sh", "-euc", CONFIGURE],
    NetworkDisabled: true,
  });
  await container.start();
  await container.wait();
  const [repo, tag] = baseImage.split(":");
  await container.commit({ repo, tag, changes: 'CMD ["sleep", "infinity"]\nENV KEPT=yes' });
  await container.remove();
});

afterAll(async () => {
  const builder = builderWith();
  for (const slot of await builder.slots()) await builder.discard(slot);
  for (const { image } of await builder.list()) await docker.getImage(image).remove();
  await docker.getImage(baseImage).remove();
  await sandboxes.removeAll();
  await rm(root, { recursive: true });
});

describe("an image with packages", () => {
  it("has what three package managers fetched through the gateway, for the tools to run", async () => {
    const builder = builderWith();
    const { build, steps } = buildOf({ pip: ["hello_pip"], npm: ["hello-npm@1.0.0"], apt: ["hello-deb"] });
    const image = await builder.build(build);

    expect(steps).toEqual(["apt: hello-deb", "npm: hello-npm@1.0.0", "pip: hello_pip"]);
    const printed = await runAsTool(image, "hello-deb; hello-npm; python3 -c 'import hello_pip'; hello-npm");
    expect(printed).toBe("hello from apt\nhello from npm\nhello from pip\nhello from npm\n");
    expect(await builder.find(build.hash, NEVER)).toBe(image);
    expect(await builder.list()).toEqual([{ hash: build.hash, image }]);
    expect([await builder.slots(), await gateway.list()]).toEqual([[], []]);
  });

  it("is otherwise its base image: the same config, nothing of the build, and nothing that the tools may write", async () => {
    const builder = builderWith();
    const { build } = buildOf({ npm: ["hello-npm"] });
    const image = await builder.build(build);
    const [base, made] = await Promise.all([baseImage, image].map((name) => docker.getImage(name).inspect()));
    for (const field of ["User", "Env", "Cmd", "WorkingDir"] as const) {
      expect({ [field]: made?.Config[field] }).toEqual({ [field]: base?.Config[field] });
    }
    expect(made?.Config.Entrypoint ?? []).toEqual(base?.Config.Entrypoint ?? []);
    expect(made?.Config.Labels).toEqual({ "deckhand.installation": installationId, "deckhand.slot": "" });
    const looked = await runAsTool(
      image,
      "ls -A /tmp; env | grep -i proxy; find /usr/local /home/agent -user root -path '/home/*' -o -writable -path '/usr/*' ! -type l",
    );
    expect(looked).toBe("");
    expect(await builder.remove(image)).toBe(true);
    expect(await builder.remove(image)).toBe(true);
    expect(await builder.find(build.hash, NEVER)).toBeNull();
  });
});

describe("a build that can't be finished", () => {
  it("quotes the package manager's last lines and leaves nothing behind", async () => {
    const builder = builderWith();
    const { build } = buildOf({ pip: ["no-such-package"] });
    const error = await builder.build(build).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(PackagesFailedError);
    expect(error).toMatchObject({
      step: "pip: no-such-package",
      message: "It ended with code 1.",
      output: expect.stringContaining("No matching distribution found for no-such-package"),
    });
    await expectNothingLeft(builder, build);
  });

  it("is ended when it writes more than it may", async () => {
    const builder = builderWith();
    const limits = { ...DEFAULT_LIMITS, diskBytes: 20 * MIB };
    const { build } = buildOf({ apt: ["hello-hog"] }, { limits });
    await expect(builder.build(build)).rejects.toMatchObject({
      step: "apt: hello-hog",
      message: "It needs more than the 20 MB of disk there are.",
    });
    await expectNothingLeft(builder, build);
  });

  it("is ended when a step takes too long", async () => {
    const builder = builderWith({ stepTimeoutMs: 4_000 });
    const { build } = buildOf({ apt: ["hello-forever"] });
    await expect(builder.build(build)).rejects.toThrow("It took more than 4 s.");
    await expectNothingLeft(builder, build);
  });

  it("ends when it is aborted, with the reason", async () => {
    const builder = builderWith();
    const stopping = new AbortController();
    const { build } = buildOf(
      { apt: ["hello-forever"] },
      { signal: stopping.signal, onStep: async () => stopping.abort(new Error("enough")) },
    );
    await expect(builder.build(build)).rejects.toThrow("enough");
    await expectNothingLeft(builder, build);
  });

  it("can be cleared away by another process when its own has died", async () => {
    const [dead, alive] = [builderWith(), builderWith()];
    const { build, steps } = buildOf({ apt: ["hello-forever"] });
    const ended = dead.build(build).catch((error: unknown) => error);
    await vi.waitUntil(() => steps.length > 0, { timeout: 20_000 });
    expect(await alive.slots()).toEqual([build.slot]);
    await alive.discard(build.slot);
    await alive.discard(build.slot);
    expect(await ended).toBeInstanceOf(Error);
    await expectNothingLeft(alive, build);
  });
});
