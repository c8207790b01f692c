import { readFile } from "node:fs/promises";
import path from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findInstallation } from "../../../bench/installation.ts";
import { pollUntil } from "../../../src/embedded/poll.ts";
import { sandboxDisksDir } from "../../../src/roles/sandbox-disks.ts";
import { createGatewayDirs } from "../../../src/sandbox/gateway-dirs.ts";
import { containerNames, INSTALLATION_LABEL, newSlot, SLOT_LABEL } from "../../../src/sandbox/labels.ts";
import { createLoopDisks } from "../../../src/sandbox/loop-disks.ts";
import { bash, says } from "../../fakes/messages-answer.ts";
import { pipRegistry } from "../../fakes/package-registries.ts";
import { SANDBOX_IMAGE } from "../../support/sandbox-image.ts";
import { type ChatCluster, type ChatRole, startChatCluster } from "../support/chat-cluster.ts";
import { converse, newSession, sendText, toolResults } from "../support/conversation.ts";
import { containerOf, type SessionContainer } from "../support/session-container.ts";
import { expectWhole, resultsIn } from "../support/session-log.ts";
import { deriveImage } from "./support/derived-image.ts";
import { type FileHost, startFileHost } from "./support/file-host.ts";
import { type OutsideWorld, startOutsideWorld } from "./support/outside-world.ts";

const HOST = "pypi.test";
const ROLES: readonly ChatRole[] = ["api", "worker", "gateway", "bots"];
const WAIT = { timeoutMs: 60_000, signal: AbortSignal.any([]) };
/** Nobody's child, as what each bridge of the engine's is not. */
const STOP_RUNNER = "kill -STOP $(ps -o pid=,ppid= -C python3 | awk '$2 == 1 {print $1}')";
const docker = new Docker();

interface Harmed {
  id: string;
  container: SessionContainer;
}

let world: OutsideWorld;
let files: FileHost;
let derived: Awaited<ReturnType<typeof deriveImage>>;
let cluster: ChatCluster;
const quick = () => `http://${HOST}:${files.port}/quick`;

beforeAll(async () => {
  world = await startOutsideWorld("127.0.0.42", [HOST]);
  files = await startFileHost(world.address, pipRegistry("hello_pip", "print('hello from pip')"));
  const index = `http://${HOST}:${files.port}/simple/`;
  derived = await deriveImage(`printf '[global]\\nindex-url=${index}\\ntrusted-host=${HOST}\\n' > /etc/pip.conf`);
  cluster = await startChatCluster({ ...world.env, DECKHAND_SANDBOX_IMAGE: derived.image });
  await cluster.start("gateway");
});
afterAll(async () => {
  const { id } = await findInstallation(cluster.home);
  await cluster.close();
  const built = await docker.listImages({ filters: JSON.stringify({ label: [`${INSTALLATION_LABEL}=${id}`] }) });
  for (const { Id } of built) await docker.getImage(Id).remove();
  await derived.remove();
  await files.stop();
  await world.stop();
});

it("the gateway killed while a sandbox downloads: it notices, and its next request works", async () => {
  const { client, home, model } = cluster;
  const slow = quick().replace("quick", "slow");
  const download = `curl -sSN -o /tmp/part ${slow}; echo "ended with $?"`;
  const command = `${download}; until [ -e /tmp/go ]; do sleep 0.05; done; curl -sS ${quick()}`;
  model.play("download", bash(command), says("Done."));
  const sessionId = await newSession(client);
  await sendText(client, sessionId, "download");
  const container = await containerOf(home, sessionId);
  await container.hasFile("/tmp/part");
  await cluster.kill("gateway");
  await cluster.start("gateway");
  expect(await container.succeeds("touch /tmp/go")).toBe(true);
  await cluster.database.idle(sessionId, 1);
  const [result] = resultsIn(await cluster.database.log(sessionId));
  expect(result).toMatch(/ended with [1-9]\d*\nquick\n$/);
  expect(await container.succeeds("grep -qx begun /tmp/part")).toBe(true);
});

describe.concurrent("sessions side by side", () => {
  it("packages that can't be installed are told of in pip's words; mended ones are installed in sight of the session", async ({
    expect,
  }) => {
    const { client, model } = cluster;
    const config = (pip: string[]) => ({ type: "cloud" as const, packages: { type: "packages" as const, pip } });
    const environment = await client.beta.environments.create({ name: "packages", config: config(["missing_pip"]) });
    const sessionId = await newSession(client, { environment_id: environment.id });
    model.play("install", bash("python3 -c 'import hello_pip'"), says("Done."));
    const failed = await converse(client, sessionId, "install");
    const errors = failed.flatMap((event) => (event.type === "session.error" ? [event.error.message] : []));
    expect(errors).toEqual([
      expect.stringMatching(/packages could not be installed\. pip: missing_pip[\s\S]*No matching distribution/),
    ]);

    await client.beta.environments.update(environment.id, { config: config(["hello_pip"]) });
    model.play("install again", bash("python3 -c 'import hello_pip'"), says("Done."));
    const events = await converse(client, sessionId, "install again");
    expect(toolResults(events)).toEqual([{ text: "hello from pip\n", is_error: false }]);
    const builds = (await cluster.database.log(sessionId)).flatMap(({ event }) =>
      event.type === "deckhand.environment_build" ? [`${event.status} ${event.step ?? ""}`.trim()] : [],
    );
    expect(builds).toEqual([
      "started",
      "running pip: missing_pip",
      "failed",
      "started",
      "running pip: hello_pip",
      "finished",
    ]);
  });

  it("a sandbox that is idle is paused, then stopped, and goes on with all it had; once removed, the session gets another", async ({
    expect,
  }) => {
    const { client, model, database } = cluster;
    const sessionId = await newSession(client);
    const install = "python3 -m pip install -q --user --break-system-packages hello_pip";
    model.play("settle in", bash(`echo kept > /workspace/file; ${install} && echo installed`), says("Done."));
    expect(toolResults(await converse(client, sessionId, "settle in")).map(({ text }) => text)).toEqual([
      expect.stringContaining("installed\n"),
    ]);
    const before = await stateOf(sessionId);
    const idleFor = async (time: string, state: string | null) => {
      await database.execute("UPDATE sessions SET updated_at = now() - $2::interval WHERE id = $1", sessionId, time);
      const reached = async () => ((await stateOf(sessionId))?.State ?? null) === state || undefined;
      await pollUntil(`the sandbox to be ${state}`, reached, WAIT);
    };
    const look = `cat /workspace/file; python3 -c 'import hello_pip'; curl -sS ${quick()}`;

    await idleFor("2 minutes", "paused");
    await idleFor("11 minutes", "exited");
    model.play("wake up", bash(look), says("Done."));
    expect(toolResults(await converse(client, sessionId, "wake up"))).toEqual([
      { text: "kept\nhello from pip\nquick\n", is_error: false },
    ]);
    const after = await stateOf(sessionId);
    expect(after).toMatchObject({ Id: before?.Id, State: "running" });

    await idleFor("31 days", null);
    model.play("start over", bash(`ls /workspace; curl -sS ${quick()}`), says("Done."));
    expect(toolResults(await converse(client, sessionId, "start over"))).toEqual([
      { text: "quick\n", is_error: false },
    ]);
    expect((await stateOf(sessionId))?.Labels[SLOT_LABEL]).not.toBe(before?.Labels[SLOT_LABEL]);
  });

  it.for([
    ["paused by somebody", ({ id }: Harmed) => docker.getContainer(id).pause()],
    ["whose runner hangs", ({ container }: Harmed) => container.succeeds(STOP_RUNNER)],
  ] as const)(
    "a sandbox %s in the midst of a turn is started anew with its files: the outcome is said to be unknown, and the turn goes on",
    async ([what, harm], { expect }) => {
      const { client, model, database, home } = cluster;
      const sessionId = await newSession(client);
      const wait = "touch /workspace/mine /tmp/begun; until [ -e /tmp/go ]; do sleep 0.05; done";
      model.play(what, bash(wait), bash("pgrep -u agent -c sleep; ls /workspace"), says("Done."));
      await sendText(client, sessionId, what);
      const container = await containerOf(home, sessionId);
      await container.hasFile("/tmp/begun");
      await harm({ container, id: (await stateOf(sessionId))?.Id ?? "" });
      await database.idle(sessionId, 1);
      const log = await database.log(sessionId);
      expectWhole(log);
      expect(resultsIn(log)).toEqual([expect.stringContaining("whether it had any effect is unknown"), "0\nmine\n"]);
    },
  );
});

it("everything killed at once: what is left of ended sessions is removed, and nothing else", async () => {
  const { client, model, database, home } = cluster;
  const [ended, kept] = [await newSession(client), await newSession(client)];
  model.play("begin", bash("echo kept > /workspace/file"), says("Done."));
  await Promise.all([ended, kept].map((id) => converse(client, id, "begin")));
  const gone = await stateOf(ended);
  const slot = gone?.Labels[SLOT_LABEL] ?? "";
  expect(await placesOf(slot)).toEqual(["folder", "disk", "mount"]);
  const other = await foreignContainer();
  try {
    await Promise.all(ROLES.map((role) => cluster.kill(role)));
    process.kill(await database.pid(), "SIGKILL");
    await cluster.start("api");
    await client.beta.sessions.archive(ended);
    await Promise.all([cluster.start("worker"), cluster.start("gateway")]);
    const removed = async () => ((await stateOf(ended)) === null && (await placesOf(slot)).length === 0) || undefined;
    await pollUntil("the sandbox of the ended session to be removed", removed, WAIT);

    model.play("go on", bash(`cat /workspace/file; curl -sS ${quick()}`), says("Done."));
    expect(toolResults(await converse(client, kept, "go on"))).toEqual([{ text: "kept\nquick\n", is_error: false }]);
    expect((await other.inspect()).State.Status).toBe("created");
  } finally {
    await other.remove();
  }

  async function placesOf(name: string): Promise<string[]> {
    const [folders, disks, mounts] = await Promise.all([
      createGatewayDirs({ root: path.join(home, "gateway"), caCertificate: "" }).list(),
      createLoopDisks(sandboxDisksDir(home)).list(),
      readFile("/proc/mounts", "utf8"),
    ]);
    const found = { folder: folders.includes(name), disk: disks.includes(name), mount: mounts.includes(name) };
    return Object.entries(found).flatMap(([place, there]) => (there ? [place] : []));
  }
});

/** The session's container as the engine lists it; null when it has none. */
async function stateOf(sessionId: string) {
  const installation = await findInstallation(cluster.home);
  const names = containerNames(installation.id);
  const all = await installation.containers();
  return all.find(({ Names }) => Names.some((name) => names.sessionOf(name.slice(1)) === sessionId)) ?? null;
}

/** As one of a Deckhand that has its state elsewhere. */
function foreignContainer() {
  const name = containerNames(newSlot()).forSession("sesn_elsewhere");
  return docker.createContainer({
    name,
    Image: SANDBOX_IMAGE,
    Labels: { [INSTALLATION_LABEL]: "elsewhere", [SLOT_LABEL]: newSlot() },
  });
}
