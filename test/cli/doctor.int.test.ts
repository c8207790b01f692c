import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { clockFinding } from "../../src/cli/checks/machine.ts";
import { loadConfig } from "../../src/config.ts";
import { openGatewayDir } from "../../src/roles/gateway-dir.ts";
import { startDnsServer } from "../fakes/dns-server.ts";

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
    expect(stdout).toMatch(/^fail +Sandbox runtime .*no runtime nope.*\n +→ .*DECKHAND_SANDBOX_RUNTIME/m);
  });

  it("says what would keep sandboxes from the gateway, and how to mend it", async () => {
    const dir = path.join(home, "open");
    await mkdir(dir);
    await chmod(dir, 0o755);
    const settings = { DECKHAND_GATEWAY_DIR: dir, DECKHAND_GATEWAY_DNS: "127.0.0.1:1" };
    const { exitCode, stdout } = await doctor(settings);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^fail +Gateway folder .*open can be entered by others\n +→ .*chmod 700/m);
    expect(stdout).toMatch(/^fail +DNS .*127\.0\.0\.1:1 .*\n +→ .*DECKHAND_GATEWAY_DNS/m);
    await expect(openGatewayDir(loadConfig(home, settings))).rejects.toThrow(/can be entered by others.*chmod 700/);

    await chmod(dir, 0o700);
    const dns = await startDnsServer();
    const mended = await doctor({ ...settings, DECKHAND_GATEWAY_DNS: dns.address });
    await dns.stop();
    expect(mended.stdout).toMatch(/^ok +Gateway folder /m);
    expect(mended.stdout).toMatch(/^ok +DNS /m);
    const long = await doctor({ DECKHAND_GATEWAY_DIR: path.join(home, "x".repeat(80)) });
    expect(long.stdout).toMatch(/^warn +Gateway folder .*too long.*\n +→ .*DECKHAND_GATEWAY_DIR/m);
  });

  it("says where sandboxes would have no disks of limited size", async () => {
    const { stdout } = await doctor({ DOCKER_HOST: "tcp://127.0.0.1:1" });
    expect(stdout).toMatch(/^warn +Sandbox disks .*another machine.*\n +→ .*root/m);
    expect((await doctor({})).stdout).toMatch(
      process.getuid?.() === 0 ? /^ok +Sandbox disks/m : /^warn +Sandbox disks/m,
    );
  });

  it("compares clocks, and allows for the time that the question took", () => {
    const asked = new Date(Date.now() - 60_000);
    const after = (ms: number) => clockFinding("it", new Date(asked.getTime() + ms), asked).state;
    expect([-10_000, -500, 30_000, 60_500, 70_000].map(after)).toEqual(["warn", "ok", "ok", "ok", "warn"]);
  });

  it("says which migrations a database lacks", async () => {
    const { stdout } = await doctor({ DATABASE_URL: inject("postgres").url });
    expect(stdout).toMatch(/^warn +Postgres .*not migrated: \d+_init/m);
  });
});
