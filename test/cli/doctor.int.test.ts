import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";

const MAIN = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "deckhand-doctor-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function doctor(settings: Record<string, string>): Promise<{ exitCode: number; stdout: string }> {
  const env = { PATH: "/usr/bin:/bin", PORT: "0", DECKHAND_HOME: home, ...settings };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, "doctor"], { env }, (error, stdout) => {
      resolve({ exitCode: error ? Number(error.code) : 0, stdout });
    });
  });
}

describe("deckhand doctor", () => {
  it("finds a prepared machine well and leaves no trace on it", async () => {
    const { exitCode, stdout } = await doctor({});
    expect({ exitCode, failures: stdout.match(/^fail.*/gm) }).toEqual({ exitCode: 0, failures: null });
    expect(stdout).toMatch(/^ok +Docker engine/m);
    expect(await readdir(home)).toEqual([]);
  });

  it("names each thing that is wrong and how to mend it, and ends with 1", async () => {
    const { exitCode, stdout } = await doctor({
      DATABASE_URL: "postgresql://nobody@127.0.0.1:1/none",
      REDIS_URL: "redis://127.0.0.1:1",
      DOCKER_HOST: `unix://${home}/none.sock`,
    });
    expect(exitCode).toBe(1);
    for (const [subject, mend] of [
      ["Postgres", "DATABASE_URL"],
      ["Redis", "REDIS_URL"],
      ["Docker engine", "DOCKER_HOST"],
    ]) {
      expect(stdout).toMatch(new RegExp(`^fail +${subject} .*\\n +→ .*${mend}`, "m"));
    }
  });

  it("says that the engine lacks the runtime that is named", async () => {
    const { exitCode, stdout } = await doctor({ DECKHAND_SANDBOX_RUNTIME: "nope" });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^fail +Sandbox runtime .*no nope.*\n +→ .*DECKHAND_SANDBOX_RUNTIME/m);
  });

  it("says which migrations a database lacks", async () => {
    const { stdout } = await doctor({ DATABASE_URL: inject("postgres").url });
    expect(stdout).toMatch(/^warn +Postgres .*not migrated: \d+_init/m);
  });
});
