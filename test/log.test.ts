import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";

const MODULE = path.resolve(import.meta.dirname, "../src/log.ts");

/** What a process writes that logs these fields. */
function logged(fields: object): string {
  const program = `const { createLog } = await import(${JSON.stringify(MODULE)});
    createLog("trace").info(${JSON.stringify(fields)}, "said");`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }).stderr;
}

describe("the log", () => {
  it("has no key of a request, also where a library logs the request's headers", () => {
    const headers = { authorization: "Bearer hunter2", "x-api-key": "hunter2", host: "here" };
    const text = logged({ req: { headers }, busboyOptions: { headers }, client: { apiKey: "hunter2" } });
    expect(text).toContain('"host":"here"');
    expect(text).not.toContain("hunter2");
  });
});
