import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { listenInSlots } from "../../src/gateway/slot-listeners.ts";
import { SILENT } from "../support/silent-log.ts";

it("a sandbox's socket that fails, as for want of file descriptors, is told of and does not end the process", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "slots-"));
  const slot = "0123456789abcdef";
  await mkdir(path.join(root, slot));
  const server = createServer();
  const log = { ...SILENT, error: vi.fn() };
  const close = async () => void server.close();
  const listeners = await listenInSlots({ root, createServer: () => ({ server, close }), log });
  try {
    server.emit("error", new Error("accept EMFILE"));
    expect(log.error).toHaveBeenCalledWith({ slot, error: "accept EMFILE" }, expect.any(String));
  } finally {
    await listeners.stop(0);
    await rm(root, { recursive: true });
  }
});
