import { describe, expect, it } from "vitest";
import { assertWithinBounds } from "../../src/environments/environment-bounds.ts";
import { DEFAULT_CONFIG } from "../../src/environments/environment-config.ts";

const BOUNDS = { memoryMb: 4096, cpus: 4, pids: 1024, diskMb: 8192, runtimes: ["runsc"], baseImages: [] };
const check = (deckhand?: Record<string, number | string>) =>
  assertWithinBounds({ ...DEFAULT_CONFIG, ...(deckhand && { deckhand }) }, BOUNDS);

describe("what an operator lets environments ask for", () => {
  it("is all that asks for nothing, and what stays within it", () => {
    check();
    expect(() => check({ memory_mb: 4096, cpus: 4, pids: 1024, disk_mb: 8192, runtime: "runsc" })).not.toThrow();
  });

  it.each([
    ["memory_mb", 4097, "DECKHAND_SANDBOX_MEMORY_MB_MAX"],
    ["cpus", 4.1, "DECKHAND_SANDBOX_CPUS_MAX"],
    ["pids", 1025, "DECKHAND_SANDBOX_PIDS_MAX"],
    ["disk_mb", 8193, "DECKHAND_SANDBOX_DISK_MB_MAX"],
    ["runtime", "runc", "DECKHAND_SANDBOX_RUNTIMES"],
    ["base_image", "alpine:3", "DECKHAND_SANDBOX_BASE_IMAGES"],
  ])("is not %s %s: the field and the setting are named", (field, value, setting) => {
    expect(() => check({ [field]: value })).toThrow(new RegExp(`config\\.deckhand\\.${field}: .*${setting}`));
  });
});
