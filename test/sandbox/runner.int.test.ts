import { Readable } from "node:stream";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { SandboxLostError } from "../../src/sandbox/sandbox.ts";
import { bash, createTestSandboxes, NEVER, newCallId, run, textOf } from "../support/sandboxes.ts";

const SILENCE_TEST_TIMEOUT_MS = 60_000;
const UNKNOWN = { isError: true, text: expect.stringContaining("outcome is unknown") };

let sandboxes = createTestSandboxes();
afterEach(async () => {
  await sandboxes.removeAll();
  sandboxes = createTestSandboxes();
});
afterAll(() => sandboxes.removeAll());

/** Starts a command and waits until it runs. */
async function begin(sandbox: Sandbox, command: string, callId = newCallId()) {
  const call = sandbox.call(callId, { op: "bash", command: `touch /workspace/begun; ${command}` }, NEVER);
  call.catch(() => {}); // looked at later
  await until(async () =>
    (await run(sandbox, { op: "glob", pattern: "begun" })).content.some(
      (part) => part.type === "text" && part.text.endsWith("/begun"),
    ),
  );
  return { call, callId };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

async function attach(ref: string): Promise<Sandbox> {
  const sandbox = await sandboxes.provider().attach(ref, NEVER);
  if (!sandbox) throw new Error(`${ref} is gone`);
  return sandbox;
}

/** Runs a command in the container as the tools' user, but not through the runner. */
async function execInside(ref: string, command: string): Promise<void> {
  const exec = await sandboxes.docker
    .getContainer(ref)
    .exec({ Cmd: ["bash", "-c", command], User: "1000:1000", AttachStdout: true });
  const stream = await exec.start({});
  stream.resume();
  await until(async () => !(await exec.inspect()).Running);
}

const RUNNERS = "ps -o ppid= -C python3 | awk '$1 == 1' | wc -l";
const KILL_RUNNER = "kill -9 $(ps -o pid=,ppid= -C python3 | awk '$2 == 1 {print $1}')";
const KILL_BRIDGES = "kill -9 $(ps -o pid=,ppid= -C python3 | awk '$2 == 0 {print $1}')";

describe("when the runner is killed", () => {
  it("reports the call that ran as unknown, and goes on working", async () => {
    const sandbox = await sandboxes.open();
    const { call, callId } = await begin(sandbox, "sleep 1000");
    await execInside(sandbox.ref, KILL_RUNNER);
    const { isError, content } = await call;
    expect({ isError, text: textOf({ isError, content }) }).toEqual(UNKNOWN);
    expect(await bash(sandbox, "echo alive")).toBe("alive\n");
    const again = await sandbox.call(callId, { op: "bash", command: "touch /workspace/twice" }, NEVER);
    expect({ isError: again.isError, text: textOf(again) }).toEqual(UNKNOWN);
    expect(await bash(sandbox, "ls /workspace/twice")).toContain("No such file");
  });

  it.each(["kill -9 -1", "pkill -9 python3", `${KILL_RUNNER}; sleep 1000`])(
    "survives %s from a tool",
    async (command) => {
      const sandbox = await sandboxes.open();
      const { isError, content } = await run(sandbox, { op: "bash", command });
      expect({ isError, text: textOf({ isError, content }) }).toEqual(UNKNOWN);
      expect(await bash(sandbox, "echo alive")).toBe("alive\n");
    },
  );

  it("takes its shell with it, so that no script runs on unwatched", async () => {
    const sandbox = await sandboxes.open();
    const { call } = await begin(sandbox, "until [ -e /workspace/go ]; do sleep 0.01; done; touch /workspace/went-on");
    await execInside(sandbox.ref, KILL_RUNNER);
    await call;
    expect(await bash(sandbox, "pgrep -u agent -c bash")).toBe("1\n");
  });

  it("still has the results from before", async () => {
    const sandbox = await sandboxes.open();
    const callId = newCallId();
    const op = { op: "bash", command: "echo x >>/workspace/count; wc -l </workspace/count" } as const;
    await sandbox.call(callId, op, NEVER);
    await execInside(sandbox.ref, KILL_RUNNER);
    expect(textOf(await sandbox.call(callId, op, NEVER))).toBe("1\n");
    expect(textOf(await (await attach(sandbox.ref)).call(callId, op, NEVER))).toBe("1\n");
  });

  it("starts a new one though the journal holds nonsense", async () => {
    const sandbox = await sandboxes.open();
    const callId = newCallId();
    const op = { op: "bash", command: "echo once >>/workspace/count; cat /workspace/count" } as const;
    await sandbox.call(callId, op, NEVER);
    await bash(sandbox, `cd /run/deckhand; printf '\\n[1]\\n{"call":5}\\nnull\\n\\xff{"call":"cut o' >>journal`);
    await execInside(sandbox.ref, KILL_RUNNER);
    expect(textOf(await sandbox.call(callId, op, NEVER))).toBe("once\n");
  });

  it("starts one new runner, however many come at once", async () => {
    const sandbox = await sandboxes.open();
    await execInside(sandbox.ref, KILL_RUNNER);
    const joined = await Promise.all([1, 2, 3, 4, 5].map(() => attach(sandbox.ref)));
    for (const each of [sandbox, ...joined]) expect(await bash(each, RUNNERS)).toBe("1\n");
  });
});

describe("when the bridge is killed", () => {
  it("the call goes on and its result arrives over a new one", async () => {
    const sandbox = await sandboxes.open();
    const { call } = await begin(sandbox, "until [ -e /workspace/go ]; do sleep 0.01; done; echo finished");
    await execInside(sandbox.ref, KILL_BRIDGES);
    await run(sandbox, { op: "write", file_path: "go", content: "" });
    expect(textOf(await call)).toBe("finished\n");
  });

  it("no other connection notices", async () => {
    const sandbox = await sandboxes.open();
    const other = await attach(sandbox.ref);
    await other.detach();
    expect(await bash(sandbox, "echo alive")).toBe("alive\n");
  });
});

describe("a container", () => {
  it("that was stopped is started again with its files, and what ran is reported as unknown", async () => {
    const sandbox = await sandboxes.open();
    await sandbox.putUpload("given.txt", Readable.from(["given"]), 5, NEVER);
    await bash(sandbox, "echo kept >/workspace/file");
    const { call, callId } = await begin(sandbox, "sleep 1000");
    await sandboxes.docker.getContainer(sandbox.ref).kill();
    await expect(call).rejects.toBeInstanceOf(SandboxLostError);
    await expect(bash(sandbox, "true")).rejects.toBeInstanceOf(SandboxLostError);
    const again = await attach(sandbox.ref);
    expect(await bash(again, "cat /workspace/file /uploads/given.txt")).toBe("kept\ngiven");
    const { isError, content } = await again.call(callId, { op: "bash", command: "true" }, NEVER);
    expect({ isError, text: textOf({ isError, content }) }).toEqual(UNKNOWN);
  });

  it("that was paused goes on", async () => {
    const sandbox = await sandboxes.open();
    await bash(sandbox, "here=yes");
    await sandbox.detach();
    await sandboxes.docker.getContainer(sandbox.ref).pause();
    expect(await bash(await attach(sandbox.ref), "echo $here")).toBe("yes\n");
  });

  it("of another installation is not attached to", async () => {
    const sandbox = await sandboxes.open();
    const others = createTestSandboxes();
    expect(await others.provider().attach(sandbox.ref, NEVER)).toBeNull();
    await others.removeAll();
  });

  it(
    "whose runner does not answer is lost, and can be used again after a restart",
    { timeout: SILENCE_TEST_TIMEOUT_MS },
    async () => {
      // Two at once: one is stopped by a tool, the other frozen from outside while a call with an hour's time is running.
      const [stopped, frozen] = await Promise.all([sandboxes.open(), sandboxes.open()]);
      await Promise.all([stopped, frozen].map((each) => bash(each, "echo kept >/workspace/file")));
      await execInside(stopped.ref, KILL_RUNNER.replace("-9", "-STOP"));
      const long = { op: "bash", command: "sleep 3000", timeout_ms: 3_600_000 } as const;
      const call = frozen.call(newCallId(), long, NEVER).catch((error: unknown) => error);
      await run(frozen, { op: "glob", pattern: "*" }); // sent later, so the command runs by now
      await sandboxes.docker.getContainer(frozen.ref).pause();
      await expect(bash(stopped, "true")).rejects.toBeInstanceOf(SandboxLostError);
      expect(await call).toBeInstanceOf(SandboxLostError);
      expect((await sandboxes.docker.getContainer(frozen.ref).inspect()).State.Running).toBe(false);
      for (const { ref } of [stopped, frozen]) {
        const again = await attach(ref);
        expect(await bash(again, "cat /workspace/file; pgrep -u agent -c sleep")).toBe("kept\n0\n");
      }
    },
  );

  it(
    "whose tools kill the runner without end is lost, and can be used again",
    { timeout: SILENCE_TEST_TIMEOUT_MS },
    async () => {
      const sandbox = await sandboxes.open();
      await bash(
        sandbox,
        "setsid bash -c 'while :; do pkill -9 python3; sleep 0.01; done' >/dev/null 2>&1 & sleep 1000",
      ).catch(() => null);
      await expect(bash(sandbox, "true")).rejects.toBeInstanceOf(SandboxLostError);
      expect(await bash(await attach(sandbox.ref), "echo alive")).toBe("alive\n");
    },
  );
});
