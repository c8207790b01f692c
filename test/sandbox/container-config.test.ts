import { describe, expect, it } from "vitest";
import { SECCOMP_PROFILE } from "../../src/sandbox/seccomp-profile.ts";
import { containerConfig, DEFAULT_LIMITS } from "../../src/sandbox/container-config.ts";

const shape = { image: "i", limits: DEFAULT_LIMITS, runtime: null };
const spec = { name: "n", labels: { a: "b" }, shape, mounts: [] };

describe("containerConfig", () => {
  it("gives no network, no capability, no privilege and no way to the host", () => {
    const { HostConfig, ...config } = containerConfig(spec);
    expect(config).toMatchObject({ name: "n", Image: "i", Labels: { a: "b" }, User: "0:0", NetworkDisabled: true });
    expect(HostConfig).toMatchObject({
      Init: true,
      NetworkMode: "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges", `seccomp=${SECCOMP_PROFILE}`],
      LogConfig: { Type: "none" },
    });
    expect(HostConfig).not.toHaveProperty("Binds");
    expect(HostConfig).not.toHaveProperty("Mounts");
    expect(HostConfig).not.toHaveProperty("CapAdd");
    expect(config).not.toHaveProperty("Env");
  });

  it("limits memory without swap, processors and processes", () => {
    const limits = { memoryBytes: 1000, cpus: 0.5, pids: 7, sharedMemoryBytes: 9, diskBytes: 11 };
    expect(containerConfig({ ...spec, shape: { ...shape, limits } }).HostConfig).toMatchObject({
      Memory: 1000,
      MemorySwap: 1000,
      NanoCpus: 5e8,
      PidsLimit: 7,
      ShmSize: 9,
    });
  });

  it("bounds open files and the size of each file, leaves no core, and dies before the host's own services", () => {
    const limits = { ...DEFAULT_LIMITS, diskBytes: 11 };
    const { HostConfig } = containerConfig({ ...spec, shape: { ...shape, limits } });
    expect(HostConfig?.Ulimits).toEqual([
      { Name: "core", Soft: 0, Hard: 0 },
      { Name: "nofile", Soft: 4096, Hard: 4096 },
      { Name: "fsize", Soft: 11, Hard: 11 },
    ]);
    expect(HostConfig?.OomScoreAdj).toBeGreaterThan(0);
  });

  it("names a runtime only when there is one to name", () => {
    expect(containerConfig(spec).HostConfig).not.toHaveProperty("Runtime");
    expect(containerConfig({ ...spec, shape: { ...shape, runtime: "runsc" } }).HostConfig).toMatchObject({
      Runtime: "runsc",
    });
  });
});
