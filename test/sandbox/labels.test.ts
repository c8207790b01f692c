import { describe, expect, it } from "vitest";
import { containerNames } from "../../src/sandbox/labels.ts";

const names = containerNames("0b9c2a8e-one");

describe("containerNames", () => {
  it("carries the session in the name, which is new each time", () => {
    const first = names.forSession("sesn_01abc");
    expect(names.sessionOf(first)).toBe("sesn_01abc");
    expect(names.forSession("sesn_01abc")).not.toBe(first);
    expect(first).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
  });

  it("tells pooled containers from a session's", () => {
    expect(names.isPooled(names.forPool())).toBe(true);
    expect(names.isPooled(names.forSession("sesn_1"))).toBe(false);
    expect(names.sessionOf(names.forPool())).toBeNull();
  });

  it("does not take another installation's containers for its own", () => {
    const others = containerNames("0b9c2a8e");
    expect(others.sessionOf(names.forSession("sesn_1"))).toBeNull();
    expect(others.isPooled(names.forPool())).toBe(false);
  });

  it.each(["", "a.b", "a b", "-a", "x".repeat(41)])("refuses the installation id %j", (id) => {
    expect(() => containerNames(id)).toThrow("Installation id");
  });

  it.each(["", "a.b", "../x"])("refuses the session id %j", (id) => {
    expect(() => names.forSession(id)).toThrow("Session id");
  });
});
