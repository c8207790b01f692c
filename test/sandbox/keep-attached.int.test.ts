import { afterAll, describe, expect, it } from "vitest";
import { keepAttached, type KeepAttachedOptions } from "../../src/sandbox/keep-attached.ts";
import { type Sandbox, SandboxLostError } from "../../src/sandbox/sandbox.ts";
import { describeSandboxProvider } from "../contracts/sandbox-provider.ts";
import { bash, createTestSandboxes, NEVER, newCallId, newSessionId, SHAPE } from "../support/sandboxes.ts";

const sandboxes = createTestSandboxes();
afterAll(() => sandboxes.removeAll());

describeSandboxProvider("docker, kept attached", {
  shape: SHAPE,
  provider: () => keepAttached(sandboxes.provider()),
  lose: (ref) => sandboxes.docker.getContainer(ref).remove({ force: true }),
  count: async () => (await sandboxes.containerNames()).length,
});

describe("a sandbox kept attached", () => {
  it("is joined again over the connection it had", async () => {
    const { provider, sandbox } = await provision();
    await bash(sandbox, "cd /tmp; here=kept");
    await sandbox.detach();
    const again = await provider.attach(sandbox.ref, NEVER);
    expect(again && (await bash(again, 'echo "$here $PWD"'))).toBe("kept /tmp\n");
    expect(await connectionsOf(sandbox.ref)).toBe(1);
  });

  it("is refused to the one who detached it", async () => {
    const { provider, sandbox } = await provision();
    await sandbox.detach();
    const again = await provider.attach(sandbox.ref, NEVER);
    await expect(sandbox.listOutputs(NEVER)).rejects.toBeInstanceOf(SandboxLostError);
    await sandbox.detach();
    expect(again && (await bash(again, "echo still here"))).toBe("still here\n");
  });

  it("is not handed out once its container is gone", async () => {
    const { provider, sandbox } = await provision();
    await sandbox.detach();
    await sandboxes.docker.getContainer(sandbox.ref).remove({ force: true });
    expect(await provider.attach(sandbox.ref, NEVER)).toBeNull();
  });

  it("is joined anew when it was paused meanwhile", async () => {
    const { provider, sandbox } = await provision();
    await sandbox.detach();
    await sandboxes.docker.getContainer(sandbox.ref).pause();
    const again = await provider.attach(sandbox.ref, NEVER);
    expect(again && (await bash(again, "echo awake"))).toBe("awake\n");
  });

  it("is let go of when more are kept than allowed, and when the provider closes", async () => {
    const { provider, sandbox: first } = await provision({ keptMax: 1 });
    const second = await provider.provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
    await first.detach();
    await second.detach();
    await expect.poll(() => connectionsOf(first.ref)).toBe(0);
    expect(await connectionsOf(second.ref)).toBe(1);
    await provider.close();
    await expect.poll(() => connectionsOf(second.ref)).toBe(0);
  });

  it("is let go of at once while a call is under way, which goes on", async () => {
    const { provider, sandbox } = await provision();
    const callId = newCallId();
    const op = { op: "bash", command: "touch begun; until [ -e go ]; do sleep 0.02; done; echo done" } as const;
    const left = sandbox.call(callId, op, NEVER).catch((error: unknown) => error);
    await begun(sandbox);
    await sandbox.detach();
    expect(await left).toBeInstanceOf(SandboxLostError);
    const again = await provider.attach(sandbox.ref, NEVER);
    await again?.writeText("/workspace/go", "", NEVER);
    expect((await again?.call(callId, op, NEVER))?.content).toEqual([{ type: "text", text: "done\n" }]);
  });
});

async function provision(options?: KeepAttachedOptions) {
  const provider = keepAttached(sandboxes.provider(), options);
  const sandbox = await provider.provision({ sessionId: newSessionId(), shape: SHAPE }, NEVER);
  return { provider, sandbox };
}

async function begun(sandbox: Sandbox): Promise<void> {
  const look = () => sandbox.call(newCallId(), { op: "glob", pattern: "begun" }, NEVER);
  await expect.poll(async () => JSON.stringify((await look()).content)).toContain("begun");
}

/** How many bridges lead into the container. */
async function connectionsOf(ref: string): Promise<number> {
  const { ExecIDs } = await sandboxes.docker.getContainer(ref).inspect();
  const ids: string[] = ExecIDs ?? [];
  const states = await Promise.all(ids.map((id) => sandboxes.docker.getExec(id).inspect()));
  return states.filter(({ Running }) => Running).length;
}
