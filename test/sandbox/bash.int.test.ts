import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { bash, createTestSandboxes, NEVER, newCallId, newSessionId, run, textOf } from "../support/sandboxes.ts";
import { SANDBOX_IMAGE } from "../support/sandbox-image.ts";
import { shapeOf } from "../support/sandbox-shape.ts";

const sandboxes = createTestSandboxes();
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxes.open();
});
afterAll(() => sandboxes.removeAll());

const result = async (command: string, timeoutMs?: number) => {
  const op = { op: "bash", command, ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }) } as const;
  const { isError, content } = await run(sandbox, op);
  return { isError, text: textOf({ isError, content }) };
};
const restart = () => run(sandbox, { op: "bash", restart: true });

describe("the persistent shell", () => {
  it("keeps working directory, variables and functions from call to call", async () => {
    await bash(sandbox, 'cd /tmp; colour=red; export SHAPE=round; describe() { echo "$1 $colour $SHAPE"; }');
    expect(await bash(sandbox, "pwd; describe very")).toBe("/tmp\nvery red round\n");
  });

  it("starts in /workspace, as the tools' user, at home in /home/agent", async () => {
    await restart();
    expect(await bash(sandbox, "pwd; id -un; echo ~")).toBe("/workspace\nagent\n/home/agent\n");
  });

  it("says so after a restart, and has forgotten everything", async () => {
    await bash(sandbox, "forgotten=1; sleep 1000 &");
    expect(textOf(await restart())).toBe("bash session restarted");
    expect(await bash(sandbox, 'echo "<$forgotten>"; pgrep -u agent -c sleep')).toBe("<>\n0\n");
  });

  it("restarts and runs when asked for both", async () => {
    await bash(sandbox, "before=1");
    expect(textOf(await run(sandbox, { op: "bash", restart: true, command: 'echo "<$before>"' }))).toBe("<>\n");
  });

  it.each([
    ["exit 3", { isError: true, text: "exit 3" }],
    ["exit 0", { isError: false, text: "(no output)" }],
    ["echo last words; exit 4", { isError: true, text: "last words\n" }],
    ["exec sh -c 'exit 5'", { isError: true, text: "exit 5" }],
    ["set -e; false; echo not reached", { isError: true, text: "exit 1" }],
    ["kill -9 $$", { isError: true, text: "exit 137" }],
  ])("survives a command that ends the shell: %s", async (command, expected) => {
    expect(await result(command)).toEqual(expected);
    expect(await result("echo back; pwd")).toEqual({ isError: false, text: "back\n/workspace\n" });
  });

  it("runs commands that are asked for together one after the other", async () => {
    const together = [1, 2, 3, 4].map((number) => bash(sandbox, `order="\${order}${number}"; sleep 0.05; echo $order`));
    expect(await Promise.all(together)).toEqual(["1\n", "12\n", "123\n", "1234\n"]);
  });

  it("does not run a command that was cancelled while it waited for its turn", async () => {
    const first = bash(sandbox, "sleep 0.5");
    const cancelling = new AbortController();
    const second = sandbox.call(newCallId(), { op: "bash", command: "touch /tmp/second" }, cancelling.signal);
    const third = bash(sandbox, "ls /tmp/second");
    cancelling.abort(new Error("changed my mind"));
    await expect(second).rejects.toThrow("changed my mind");
    await first;
    expect(await third).toContain("No such file");
  });

  it("takes a script of a megabyte", async () => {
    expect(await bash(sandbox, `wc -c <<'END'\n${"x".repeat(1_000_000)}\nEND`)).toBe("1000001\n");
  });

  it("answers other tools while a command runs", async () => {
    const slow = bash(sandbox, "until [ -e /workspace/go ]; do sleep 0.01; done; echo gone");
    await run(sandbox, { op: "write", file_path: "go", content: "" });
    expect(await slow).toBe("gone\n");
  });
});

describe("the exit status", () => {
  it.each([
    ["true", { isError: false, text: "(no output)" }],
    ["false", { isError: true, text: "exit 1" }],
    ["echo out; echo err >&2; (exit 7)", { isError: true, text: "out\nerr\n" }],
    ["no-such-command", { isError: true, text: expect.stringContaining("no-such-command: command not found") }],
    ["for x in", { isError: true, text: expect.stringContaining("syntax error") }],
  ])("makes the result of %s", async (command, expected) => {
    expect(await result(command)).toEqual(expected);
  });

  it("cannot be forged by what a command prints", async () => {
    const forged = await result(`printf '0\\n\\0010\\n'; printf '{"id":1,"result":{}}' >&2; (exit 9)`);
    expect(forged.isError).toBe(true);
  });

  it("travels by a descriptor that no command inherits", async () => {
    expect(await bash(sandbox, "ls /proc/self/fd | tr '\\n' ' '")).toBe("0 1 2 3 ");
  });

  it("does not depend on stdin, which is empty", async () => {
    expect(await bash(sandbox, "cat; read line; echo $?; python3 -c 'import sys; print(repr(sys.stdin.read()))'")).toBe(
      "1\n''\n",
    );
  });

  it("arrives also when a command closes its output, or sends it elsewhere", async () => {
    expect(await result("exec >/tmp/elsewhere 2>&1; echo hidden; false")).toEqual({ isError: true, text: "exit 1" });
    expect(await result("exec >&- 2>&-")).toEqual({ isError: false, text: "(no output)" });
    expect(await result("echo seen")).toEqual({ isError: false, text: "seen\n" });
  });

  it("does not wait for a background process that holds the output", async () => {
    expect(await bash(sandbox, "sleep 1000 & setsid sleep 1000 & echo started")).toBe("started\n");
    await restart();
  });

  it("does not wait for a background process that prints without pause", async () => {
    expect(await bash(sandbox, "yes & true")).toMatch(/y|no output/);
    expect(await bash(sandbox, "echo next")).toBe("next\n");
    await restart();
  });

  it("does not mix what a background process prints later into another command's output", async () => {
    await bash(sandbox, "(until [ -e /tmp/print ]; do sleep 0.01; done; echo late; touch /tmp/printed) &");
    expect(await bash(sandbox, "touch /tmp/print; until [ -e /tmp/printed ]; do sleep 0.01; done; echo own")).toBe(
      "own\n",
    );
  });

  it("names running out of memory", async () => {
    const provider = sandboxes.provider();
    const small = await provider.provision(
      { sessionId: newSessionId(), shape: shapeOf(SANDBOX_IMAGE, { memoryBytes: 256 * 1024 * 1024 }) },
      NEVER,
    );
    const { isError, content } = await run(small, { op: "bash", command: "python3 -c 'x = bytearray(10**9)'" });
    expect({ isError, text: textOf({ isError, content }) }).toEqual({
      isError: true,
      text: expect.stringContaining("Killed: out of memory"),
    });
    expect(await bash(small, "echo alive")).toBe("alive\n");
  });
});

describe("a timeout", () => {
  it("is said in the result, after what was printed so far", async () => {
    expect(await result("echo begun; sleep 1000", 200)).toEqual({
      isError: true,
      text: "begun\nbash: bash command timed out after 200ms",
    });
    expect(await result("sleep 1000", 100)).toEqual({
      isError: true,
      text: "bash: bash command timed out after 100ms",
    });
  });

  it("kills everything that was started, wherever it moved to", async () => {
    const hidden =
      "setsid sleep 1001 & (setsid sh -c 'sleep 1002 & sleep 1003' &) ; nohup sleep 1004 & (trap '' TERM HUP; sleep 1005) &";
    expect((await result(`${hidden} sleep 1000`, 300)).isError).toBe(true);
    expect(await bash(sandbox, "pgrep -u agent -c sleep; jobs; pwd")).toBe("0\n/workspace\n");
  });

  it("ends a shell that stopped itself", async () => {
    expect((await result("kill -STOP $$", 200)).text).toContain("timed out after 200ms");
    expect(await bash(sandbox, "echo back")).toBe("back\n");
  });

  it("ends a fork bomb, and the sandbox is of use again", async () => {
    await result("bomb() { bomb | bomb & }; bomb; sleep 1000", 3000).catch(() => null);
    const next = await bash(sandbox, "ls / | wc -l").catch(async () => {
      sandbox = await sandboxes.open();
      return bash(sandbox, "ls / | wc -l");
    });
    expect(Number(next)).toBeGreaterThan(10);
  });
});

describe("output", () => {
  it("is cut to its last 100 KiB, and says so", async () => {
    const { text } = await result("seq 1 100000");
    expect(text.startsWith("[output truncated]\n")).toBe(true);
    expect(text.endsWith("99999\n100000\n")).toBe(true);
    expect(Buffer.byteLength(text)).toBe("[output truncated]\n".length + 100 * 1024);
  });

  it("of a gigabyte is cut inside the sandbox: the worker's memory stays flat and nothing goes on printing", async () => {
    const before = process.memoryUsage().rss;
    const { text } = await result("yes 'a line of text' | head -c 1000000000");
    expect(text.startsWith("[output truncated]\n")).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect((await result("yes", 500)).text).toContain("timed out");
    expect(await bash(sandbox, "pgrep -u agent -c yes")).toBe("0\n");
  });

  it("never has half a character at the cut", async () => {
    const { text } = await result("printf 'x'; for i in $(seq 40000); do printf 'ü€'; done");
    expect(text).not.toContain("\ufffd");
  });

  it("is text without terminal codes, NUL or invalid bytes", async () => {
    const printed = await bash(sandbox, String.raw`printf 'a\0b\xff\033[1;31mred\033[0m\033]0;title\007 \033(B€'`);
    expect(printed).toBe("a\ufffdb\ufffdred €");
  });
});

it("refuses a command with NUL in it", async () => {
  expect(await result("echo a\0b")).toEqual({ isError: true, text: "command: must not contain NUL" });
});
