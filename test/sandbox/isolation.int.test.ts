import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { bash, createTestSandboxes, run } from "../support/sandboxes.ts";

const sandboxes = createTestSandboxes();
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxes.open();
});
afterAll(() => sandboxes.removeAll());

const fails = async (command: string) =>
  (await run(sandbox, { op: "bash", command: `${command} >/dev/null 2>&1` })).isError;

describe("a tool", () => {
  it("runs as uid 1000 with no capability, no new privileges, and a seccomp filter", async () => {
    const status = await bash(
      sandbox,
      "id -u; grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status",
    );
    expect(status.replaceAll(/[\t ]+/g, "")).toBe(
      `1000\n${["Inh", "Prm", "Eff", "Bnd", "Amb"].map((set) => `Cap${set}:${"0".repeat(16)}\n`).join("")}NoNewPrivs:1\nSeccomp:2\n`,
    );
  });

  it.each([
    "mount -t tmpfs none /mnt",
    "unshare -Ur true",
    "unshare -n true",
    "mknod /tmp/disk b 254 0",
    "su -c true",
    "dmesg",
    "echo h >/proc/sysrq-trigger",
    "mkdir /sys/fs/cgroup/x /sys/fs/cgroup/memory/x",
    "ls /var/run/docker.sock /run/docker.sock",
    "cat /proc/1/environ",
    "ls /dev/vda /dev/sda /dev/nvme0n1 | grep .",
    "head -c 1 /proc/kcore | grep -q .",
    "chmod u+s /usr/bin/bash",
  ])("is refused %s", async (command) => {
    expect(await fails(command)).toBe(true);
  });

  it("can write in the agent's own folders and nowhere else", async () => {
    const writable = await bash(
      sandbox,
      "find / \\( -path /proc -o -path /sys \\) -prune -o -type d -writable -print 2>/dev/null | sort",
    );
    const own =
      /^\/(workspace|home\/agent|mnt\/session\/outputs|tmp|var\/tmp|run\/lock|run\/deckhand|dev\/shm|dev\/mqueue)(\/|$)/;
    expect(
      writable
        .trim()
        .split("\n")
        .filter((folder) => !own.test(folder)),
    ).toEqual([]);
    expect(
      await bash(
        sandbox,
        "find / -xdev -type f -writable -not -path '/proc/*' 2>/dev/null | grep -vE '^/(workspace|home/agent|run/deckhand|tmp)/'",
      ),
    ).toBe("exit 1");
  });

  it("has no network but loopback", async () => {
    expect(await bash(sandbox, "ls /sys/class/net")).toBe("lo\n");
    for (const address of ["169.254.169.254/80", "1.1.1.1/53", "172.17.0.1/22"]) {
      expect(await fails(`timeout 5 bash -c 'echo >/dev/tcp/${address}'`)).toBe(true);
    }
    expect(await fails("getent hosts example.com")).toBe(true);
    const talk =
      "python3 -m http.server 8099 --bind localhost >/dev/null 2>&1 & sleep 1; curl -s -o /dev/null -w ok localhost:8099";
    expect(await bash(sandbox, talk)).toBe("ok");
  });

  it("sees no secret, session or host path in its environment and mounts", async () => {
    expect(await bash(sandbox, "env | cut -d= -f1 | sort | tr '\\n' ' '")).toBe(
      "HOME HOSTNAME LANG LD_LIBRARY_PATH MPLBACKEND NODE_PATH NPM_CONFIG_PREFIX PATH PIP_BREAK_SYSTEM_PACKAGES PWD SHLVL _ ",
    );
    expect(
      await bash(
        sandbox,
        "hostname; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c -i -E 'sesn_|token|secret'",
      ),
    ).toBe("sandbox\n0\n");
  });

  it.each(["kill -9 1", "kill -TERM 1", "pkill -x sleep", "kill -9 -1", "pkill -9 -f docker-init"])(
    "cannot end the container by %s",
    async (command) => {
      const own = await sandboxes.open();
      await run(own, { op: "bash", command });
      expect(await bash(own, "echo alive")).toBe("alive\n");
    },
  );
});

it("limits memory, processors, processes and shared memory", async () => {
  const { HostConfig } = await sandboxes.docker.getContainer(sandbox.ref).inspect();
  expect(HostConfig).toMatchObject({
    Memory: 2 ** 31,
    MemorySwap: 2 ** 31,
    NanoCpus: 2e9,
    PidsLimit: 512,
    ShmSize: 2 ** 28,
    NetworkMode: "none",
    Binds: null,
    Privileged: false,
  });
});
