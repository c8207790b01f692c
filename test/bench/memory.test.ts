import { describe, expect, it } from "vitest";
import { availableIn, memoryInUse } from "../../bench/memory.ts";

const MIB = 1024 * 1024;

describe("availableIn", () => {
  it("is what could be had, not what is free", () => {
    expect(availableIn("MemTotal:  24105 kB\nMemFree:   1024 kB\nMemAvailable:    4096 kB\n")).toBe(4);
  });

  it("rejects what does not say it", () => {
    expect(() => availableIn("MemTotal:  24105 kB\n")).toThrow("does not say");
  });
});

describe("memoryInUse", () => {
  it.each([
    ["the first", { total_inactive_file: 2 * MIB, inactive_file: MIB }],
    ["the second", { inactive_file: 2 * MIB }],
  ])("leaves out the cache that can go, under %s version of control groups", (_, stats) => {
    expect(memoryInUse({ memory_stats: { usage: 10 * MIB, stats } })).toBe(8);
  });

  it("rejects statistics of a container that does not run", () => {
    expect(() => memoryInUse({ memory_stats: {} })).toThrow("usage");
  });
});
