import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EnvironmentBuildError, type EnvironmentShapes } from "../../src/environments/environment-images.ts";
import { newId } from "../../src/ids.ts";
import type { SandboxOp } from "../../src/sandbox/sandbox.ts";
import type { EnvironmentBuild } from "../../src/schemas/event.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { SessionVariable } from "../../src/vaults/session-credentials.ts";
import { bash, calls, gate, says } from "../fakes/messages-answer.ts";
import { textResult } from "../fakes/sandbox.ts";
import { type HarnessRig, IDLE, resultsByCall, spoken, startHarnessRig } from "../support/harness-rig.ts";
import { shapeOf } from "../support/sandbox-shape.ts";
import { WORKSPACE } from "../support/session-database.ts";

const REPOSITORY = "https://github.com/acme/site";
const SECRET = "canary-0123456789";

let rig: HarnessRig;
beforeAll(async () => {
  rig = await startHarnessRig();
  await rig.prisma.environment.create({
    data: {
      id: "env_test",
      workspaceId: WORKSPACE,
      name: "test",
      metadata: {},
      config: {
        type: "cloud",
        networking: {
          type: "limited",
          allowed_hosts: ["*.example.com"],
          allow_mcp_servers: false,
          allow_package_managers: false,
        },
        packages: { type: "packages", apt: [], cargo: [], gem: [], go: [], npm: [], pip: [] },
      },
    },
  });
});
beforeEach(() => {
  rig.run = async () => textResult("done");
  rig.variables = [];
  rig.denied = [];
});
afterAll(() => rig.close());

async function sessionWithRepository() {
  const sessionId = await rig.newSession();
  const id = newId("sesrsc");
  const repository = { url: REPOSITORY, host: "github.com", port: 443, path: "/acme/site", checkout: null };
  await rig.prisma.sessionResource.create({
    data: { id, workspaceId: WORKSPACE, sessionId, mountPath: "/workspace/site", repository },
  });
  return sessionId;
}

/** What was begun from now on. */
function watchOps(): () => SandboxOp["op"][] {
  const before = rig.sandboxes.begun.length;
  return () => rig.sandboxes.begun.slice(before).map(({ op }) => op);
}

const errorsOf = async (sessionId: string) =>
  (await rig.events(sessionId)).flatMap((event) => (event.type === "session.error" ? [event.error] : []));
const lastSystemPrompt = () => JSON.stringify(rig.api.requests.at(-1)?.system);

describe("a session's repository", () => {
  it("is cloned before the first call, once, in a sandbox that the gateway knows, and the model is told where", async () => {
    const id = await sessionWithRepository();
    const ops = watchOps();
    let known: string | null | undefined;
    rig.run = async (op) => {
      if (op.op === "clone") known = (await rig.prisma.sandbox.findUnique({ where: { sessionId: id } }))?.gatewayId;
      return textResult("done");
    };
    rig.api.queue(bash("ls"), bash("ls again"), says("ok"), bash("git pull"), says("ok"));
    await rig.turn(id, "look");
    expect(lastSystemPrompt()).toContain(`/workspace/site: ${REPOSITORY}`);
    await rig.turn(id, "again");
    expect(ops()).toEqual(["clone", "bash", "bash", "bash"]);
    expect(rig.sandboxes.begun).toContainEqual({
      op: "clone",
      url: REPOSITORY,
      path: "/workspace/site",
      checkout: null,
    });
    expect(known).toEqual(expect.any(String));
    expect(await errorsOf(id)).toEqual([]);
  });

  it.each([
    ["fatal: Authentication failed for 'https://github.com/acme/site/'", "repository_authentication_error"],
    ["fatal: unable to access: The requested URL returned error: 403", "repository_forbidden_error"],
    ["fatal: repository 'https://github.com/acme/site/' not found", "repository_not_found_error"],
    ["fatal: Remote branch nope not found in upstream origin", "repository_checkout_error"],
    ["fatal: remote error: upload-pack: not our ref 0123", "repository_checkout_error"],
    ["/workspace/site: is not an empty folder", "repository_clone_error"],
  ])(
    "that git says of `%s` is told of as %s, and the session goes on without it until the next message",
    async (said, type) => {
      const id = await sessionWithRepository();
      const ops = watchOps();
      rig.run = async (op) => (op.op === "clone" ? textResult(said, true) : textResult("done"));
      rig.api.queue(bash("one"), bash("two"), says("ok"));
      await rig.turn(id, "look");
      const error = {
        type,
        message: expect.stringContaining(said),
        repository_url: REPOSITORY,
        retry_status: { type: "retrying" },
      };
      expect(await errorsOf(id)).toEqual([error]);
      expect(spoken(await rig.events(id))).toEqual(["ok"]);
      expect((await rig.types(id)).slice(-IDLE.length)).toEqual(IDLE);
      expect(ops()).toEqual(["clone", "bash", "bash"]);
      rig.run = async () => textResult("done");
      rig.api.queue(bash("three"), says("ok"), bash("four"), says("ok"));
      await rig.turn(id, "and now");
      await rig.turn(id, "once more");
      expect(ops().slice(3)).toEqual(["clone", "bash", "bash"]);
      expect(await errorsOf(id)).toEqual([error]);
    },
  );

  it("that can't be had leaves the model's requests their full number of attempts", async () => {
    const id = await sessionWithRepository();
    rig.run = async (op) => (op.op === "clone" ? textResult("fatal: no", true) : textResult("done"));
    rig.api.queue(bash("ls"), { status: 529 }, { status: 529 }, says("ok"));
    await rig.turn(id, "look");
    for (const _attempt of [1, 2]) {
      await rig.prisma.session.update({ where: { id }, data: { wakeAt: new Date(0) } });
      await rig.runSession(id);
    }
    expect((await errorsOf(id)).map(({ type }) => type)).toEqual([
      "repository_clone_error",
      "model_overloaded_error",
      "model_overloaded_error",
    ]);
    expect(spoken(await rig.events(id))).toEqual(["ok"]);
  });

  it("that a harness was cloning when it let go is not cloned a second time by the next one", async () => {
    const id = await sessionWithRepository();
    const ops = watchOps();
    const cloning = gate();
    rig.run = async (op) => {
      if (op.op === "clone") cloning.reach();
      if (op.op === "clone") await cloning.opened;
      return textResult("done");
    };
    rig.api.queue(bash("ls"), says("ok"));
    await rig.send(id, "look");
    const stopping = new AbortController();
    const first = rig.runSession(id, {}, stopping.signal);
    await cloning.reached;
    stopping.abort();
    await first;
    const second = rig.runSession(id);
    cloning.open();
    await second;
    expect(ops()).toEqual(["clone", "bash"]);
    expect(spoken(await rig.events(id))).toEqual(["ok"]);
    expect(await errorsOf(id)).toEqual([]);
  });

  it("whose cloning the user stopped is cloned with the next message", async () => {
    const id = await sessionWithRepository();
    const ops = watchOps();
    const cloning = gate();
    rig.run = (_op, signal) => {
      cloning.reach();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    rig.api.queue(bash("ls"));
    const running = rig.turn(id, "look");
    await cloning.reached;
    await rig.send(id, null);
    await running;
    rig.run = async () => textResult("done");
    rig.api.queue(bash("ls"), says("ok"));
    await rig.turn(id, "go on");
    expect(ops()).toEqual(["clone", "clone", "bash"]);
    expect(await errorsOf(id)).toEqual([]);
  });
});

describe("a session's variables", () => {
  const variable = (secretName: string, hosts: string[] | null): SessionVariable => ({
    credentialId: `vcrd_${secretName}`,
    vaultId: "vlt_test",
    secretName,
    value: new Secret(SECRET),
    hosts,
    injection: { header: true, body: true },
  });
  const placeholder = (sessionId: string, name: string) => `placeholder-${sessionId}-vcrd_${name}`;

  it("are placeholders for the tools and their names for the model, those of this turn, and the secret is nowhere", async () => {
    const id = await rig.newSession();
    await rig.prisma.session.update({ where: { id }, data: { vaultIds: ["vlt_test"] } });
    rig.variables = [variable("API_KEY", ["api.example.com"])];
    const told: Record<string, string>[] = [];
    rig.run = async () => {
      told.push(...rig.sandboxes.environments().filter((values) => JSON.stringify(values).includes(id)));
      if (told.length === 1) {
        rig.variables = [variable("OTHER_KEY", null)];
        await rig.send(id, "while you are at it");
      }
      return textResult("done");
    };
    rig.api.queue(bash("env"), bash("env"), says("ok"), bash("env"), says("ok"));
    await rig.turn(id, "look");
    expect(JSON.stringify(rig.api.requests.at(-3)?.system)).toContain("API_KEY, for api.example.com");
    expect(lastSystemPrompt()).toMatch(/^(?!.*API_KEY).*OTHER_KEY/);
    await rig.turn(id, "again");
    const other = { OTHER_KEY: placeholder(id, "OTHER_KEY") };
    expect(told).toEqual([{ API_KEY: placeholder(id, "API_KEY") }, other, other]);
    const seen = [rig.api.requests, await rig.events(id), rig.sandboxes.environments()];
    expect(JSON.stringify(seen)).not.toContain(SECRET);
  });

  it("that can do nothing at their hosts are told of when the sandbox is made, once", async () => {
    const id = await rig.newSession();
    await rig.prisma.session.update({ where: { id }, data: { vaultIds: ["vlt_test"] } });
    rig.variables = [variable("API_KEY", ["api.example.com"]), variable("FAR_KEY", ["api.other.com", "a.example.com"])];
    rig.api.queue(bash("one"), bash("two"), says("ok"), bash("three"), says("ok"));
    await rig.turn(id, "look");
    await rig.turn(id, "again");
    expect(await errorsOf(id)).toEqual([
      {
        type: "credential_host_unreachable_error",
        credential_id: "vcrd_FAR_KEY",
        vault_id: "vlt_test",
        message: expect.stringMatching(/^(?=.*api\.other\.com)(?!.*a\.example\.com)/),
        retry_status: { type: "retrying" },
      },
    ]);
  });
});

describe("a request that the gateway refused", () => {
  it("is a line of the result of the command that made it, once, and of no other", async () => {
    const id = await rig.newSession();
    const request = {
      method: "GET",
      scheme: "https",
      host: "evil.example",
      port: 443,
      path: "/x",
      rule: "host_not_allowed",
    };
    rig.run = async () => {
      const at = new Date();
      const tunnel = { ...request, method: "CONNECT", path: null, port: 8443, at };
      rig.denied.push({ ...request, at }, { ...request, at }, tunnel);
      return textResult("403\n");
    };
    rig.denied = [{ ...request, host: "before.example", at: new Date(0) }];
    rig.api.queue(
      calls({ name: "bash", input: { command: "curl" } }, { name: "read", input: { file_path: "/workspace/a" } }),
      says("ok"),
    );
    await rig.turn(id, "look");
    const why = "was refused: host evil.example is not in this environment's allowed_hosts.";
    expect(resultsByCall(await rig.events(id))).toEqual([
      [
        {
          isError: false,
          text: `403\n[network] GET https://evil.example/x ${why}\n[network] CONNECT evil.example:8443 ${why}`,
        },
      ],
      [{ isError: false, text: "403\n" }],
    ]);
  });
});

describe("an environment whose packages are not installed yet", () => {
  const build = (status: EnvironmentBuild["status"], step: string | null): EnvironmentBuild => ({
    environment_id: "env_test",
    status,
    step,
  });
  const withShapes = (shapeFor: EnvironmentShapes["shapeFor"]) => {
    const { sandboxes } = rig.deps();
    return { sandboxes: { ...sandboxes, environments: { shapeFor } } };
  };

  it("is waited for before the first call, with each step in the log while it is taken", async () => {
    const id = await rig.newSession();
    const seen: string[][] = [];
    const step = async (told: Promise<void>) => {
      await told;
      seen.push(await rig.types(id));
    };
    const overrides = withShapes(async (session, { onBuild }) => {
      expect(session).toEqual({ sessionId: id, workspaceId: WORKSPACE });
      await step(onBuild(build("started", null)));
      await step(onBuild(build("running", "pip: pandas")));
      await onBuild(build("finished", null));
      return shapeOf("built");
    });
    rig.api.queue(bash("ls"), says("ok"));
    await rig.send(id, "look");
    await rig.runSession(id, overrides);
    expect(seen.map((types) => types.filter((type) => type === "deckhand.environment_build").length)).toEqual([1, 2]);
    expect(await rig.prisma.sandbox.findUnique({ where: { sessionId: id } })).toMatchObject({ image: "built" });
    expect(spoken(await rig.events(id))).toEqual(["ok"]);
  });

  it("is not waited for any longer when the user stops the turn", async () => {
    const id = await rig.newSession();
    const waiting = gate();
    const provisioned = rig.sandboxes.provisioned;
    const overrides = withShapes(async (_session, { onBuild, signal }) => {
      await onBuild(build("started", null));
      waiting.reach();
      return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    rig.api.queue(bash("ls"));
    await rig.send(id, "look");
    const running = rig.runSession(id, overrides);
    await waiting.reached;
    await rig.send(id, null);
    await running;
    expect(resultsByCall(await rig.events(id))).toEqual([
      [{ isError: true, text: expect.stringContaining("interrupted") }],
    ]);
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "end_turn" } });
    expect(rig.sandboxes.provisioned).toBe(provisioned);
  });

  it("and can't be, ends the turn with what the package manager said, and without a sandbox", async () => {
    const id = await rig.newSession();
    const provisioned = rig.sandboxes.provisioned;
    const message =
      "The environment's packages could not be installed.\nERROR: No matching distribution found for nope";
    const overrides = withShapes(() => Promise.reject(new EnvironmentBuildError(message)));
    rig.api.queue(calls({ name: "bash", input: { command: "a" } }, { name: "bash", input: { command: "b" } }));
    await rig.send(id, "look");
    await rig.runSession(id, overrides);
    expect(await errorsOf(id)).toEqual([{ type: "unknown_error", message, retry_status: { type: "exhausted" } }]);
    const notRun = [{ isError: true, text: expect.stringContaining("did not run") }];
    expect(resultsByCall(await rig.events(id))).toEqual([notRun, notRun]);
    expect((await rig.events(id)).at(-1)).toMatchObject({ stop_reason: { type: "retries_exhausted" } });
    expect(rig.sandboxes.provisioned).toBe(provisioned);
  });
});
