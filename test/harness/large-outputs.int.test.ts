import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { changedOutputs, collectOutputs } from "../../src/harness/collect-outputs.ts";
import type { SessionFiles } from "../../src/harness/session-files.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { createSession, startApi, type TestApi } from "../support/api.ts";
import { bash, createTestSandboxes, NEVER } from "../support/sandboxes.ts";
import { SILENT } from "../support/silent-log.ts";

const MEGABYTES = 300;
/** A third of the file. Without streaming it takes at least the whole of it. */
const RSS_GROWTH_BYTES_MAX = 100 * 1024 * 1024;

const sandboxes = createTestSandboxes();
let api: TestApi;
let sandbox: Sandbox;
let sessionId: string;
beforeAll(async () => {
  [api, sandbox] = await Promise.all([startApi(), sandboxes.open()]);
  // The same random megabyte again and again: dense, and made in no time.
  await bash(
    sandbox,
    `head -c 1M /dev/urandom >one; cd /mnt/session/outputs
for i in $(seq ${MEGABYTES}); do cat /workspace/one; done >dense; truncate -s ${MEGABYTES}M sparse`,
  );
});
beforeEach(async () => {
  ({ id: sessionId } = await createSession(api.client));
});
afterAll(async () => {
  await Promise.all([api.stop(), sandboxes.removeAll()]);
});

/** From the real sandbox into the real store. `onPart` sees each part as it goes by. */
async function collect(onPart: () => void, signal = NEVER): Promise<void> {
  const files: SessionFiles = {
    open: () => Promise.reject(new Error("nothing is mounted")),
    load: async () => null,
    outputsOf: api.files.outputsOf,
    async saveOutput(output) {
      await api.files.saveOutput({ ...output, content: watched(output.content, onPart) });
    },
  };
  const session = { sessionId, workspaceId: api.workspaceId };
  const changed = changedOutputs(await sandbox.listOutputs(signal), await files.outputsOf(sessionId));
  await collectOutputs(sandbox, changed, files, session, SILENT, signal);
}

async function* watched(content: AsyncIterable<Uint8Array>, onPart: () => void) {
  for await (const part of content) {
    onPart();
    yield part;
  }
}

/** Every file below the store's folder, whole or half-written. */
async function storedFiles(): Promise<number> {
  const entries = await readdir(api.blobDirectory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

it("collects a large file without ever holding it in memory, and refuses a sparse one", async () => {
  const before = process.memoryUsage.rss();
  let most = before;
  await collect(() => (most = Math.max(most, process.memoryUsage.rss())));
  const outputs = await api.files.outputsOf(sessionId);
  expect([...outputs].map(([path, { size }]) => [path, size])).toEqual([["dense", MEGABYTES * 1024 * 1024]]);
  const digest = await bash(sandbox, "sha256sum </mnt/session/outputs/dense");
  expect(outputs.get("dense")?.sha256).toBe(digest.slice(0, 64));
  expect(most - before).toBeLessThan(RSS_GROWTH_BYTES_MAX);
});

it("leaves nothing in the store when it is aborted midway", async () => {
  const before = await storedFiles();
  const aborting = new AbortController();
  const reason = new Error("interrupted");
  let parts = 0;
  await expect(
    collect(() => {
      parts += 1;
      if (parts === 3) aborting.abort(reason);
    }, aborting.signal),
  ).rejects.toBe(reason);
  expect(parts).toBe(3);
  expect(await storedFiles()).toBe(before);
  expect(await api.files.outputsOf(sessionId)).toEqual(new Map());
});

it("leaves a file that is written to meanwhile for the next turn, and nothing of it in the store", async () => {
  const before = await storedFiles();
  let writing: Promise<string> | null = null;
  const write = () => (writing ??= bash(sandbox, "printf x >>/mnt/session/outputs/dense"));
  await collect(() => void write());
  await write();
  expect(await storedFiles()).toBe(before);
  await collect(() => undefined);
  expect((await api.files.outputsOf(sessionId)).get("dense")?.size).toBe(MEGABYTES * 1024 * 1024 + 1);
});
