import { describe, expect, it } from "vitest";
import { z } from "zod";
import { builtInTools, parseToolInput } from "../../../src/harness/tools/index.ts";

describe("parseToolInput", () => {
  it.each([
    ["bash", { command: "ls", timeout_ms: 5 }, { op: "bash", command: "ls", timeout_ms: 5 }],
    ["bash", { restart: true }, { op: "bash", restart: true }],
    ["read", { file_path: "a", view_range: [2, -1] }, { op: "read", file_path: "a", view_range: [2, -1] }],
    ["write", { file_path: "a", content: "" }, { op: "write", file_path: "a", content: "" }],
    [
      "edit",
      { file_path: "a", old_string: "x", new_string: "" },
      { op: "edit", file_path: "a", old_string: "x", new_string: "" },
    ],
    ["glob", { pattern: "*", path: "/tmp" }, { op: "glob", pattern: "*", path: "/tmp" }],
    ["grep", { pattern: "x" }, { op: "grep", pattern: "x" }],
  ] as const)("turns a valid %s call into what the sandbox runs", (name, input, op) => {
    expect(parseToolInput(name, { ...input })).toEqual({ op });
  });

  it.each([
    ["bash", {}, "command"],
    ["bash", { command: "" }, "command"],
    ["bash", { command: 7 }, "command"],
    ["bash", { command: "ls", timeout_ms: 0 }, "timeout_ms"],
    ["bash", { command: "ls", timeout_ms: 1.5 }, "timeout_ms"],
    ["read", { file_path: "a\0b" }, "file_path"],
    ["read", { file_path: "a", view_range: [1] }, "view_range"],
    ["write", { file_path: "a" }, "content"],
    ["edit", { file_path: "a", old_string: "", new_string: "b" }, "old_string"],
    ["glob", { pattern: 3 }, "pattern"],
    ["grep", { pattern: "x", colour: true }, "colour"],
  ] as const)("names the field that is wrong in a %s call", (name, input, field) => {
    const parsed = parseToolInput(name, { ...input });
    expect("error" in parsed && parsed.error).toContain(field);
  });

  it("takes null as left out, as some models write it", () => {
    expect(parseToolInput("bash", { command: "ls", restart: null })).toEqual({ op: { op: "bash", command: "ls" } });
  });
});

describe("builtInTools", () => {
  it.each(Object.entries(builtInTools))("describes every argument of %s in its JSON schema", (_, { input }) => {
    const { properties } = z
      .object({ properties: z.record(z.string(), z.object({ description: z.string() })) })
      .parse(z.toJSONSchema(input));
    expect(Object.keys(properties).length).toBeGreaterThan(0);
  });
});
