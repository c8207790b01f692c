import { chown, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatewayDirProblem } from "../../src/roles/gateway-dir.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), "deckhand-sockets-"));
});
afterAll(() => rm(dir, { recursive: true }));

describe("a folder for sandboxes' sockets", () => {
  it("is this user's own: not even root takes over another's that is closed to the rest", async () => {
    expect(await gatewayDirProblem(dir)).toBeNull();
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(dir, 12_345, 12_345);
    // Everybody else finds one that is root's.
    const theirs = isRoot ? dir : "/";
    expect(await gatewayDirProblem(theirs)).toEqual({
      detail: `${theirs} belongs to uid ${isRoot ? 12_345 : 0}, and this is uid ${process.getuid?.()}`,
      mend: expect.stringMatching(/as that user, `chown \d+ .*`, or set DECKHAND_GATEWAY_DIR\.$/),
    });
  });
});
