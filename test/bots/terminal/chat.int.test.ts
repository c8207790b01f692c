import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openTranscript } from "../../../bots/terminal/transcript.ts";
import { asked, createPlayedTurns, idleEvent, said, tool, waitsFor } from "../../fakes/played-turns.ts";
import { startApi, type TestApi } from "../../support/api.ts";

const CLI = path.resolve(import.meta.dirname, "../../../src/cli/main.ts");

let api: TestApi;
let turns: ReturnType<typeof createPlayedTurns>;
let root: string;
const running = new Set<ChildProcess>();
/** Resolves with the session that the next message goes to. */
let nextMessage = Promise.withResolvers<string>();
beforeAll(async () => {
  api = await startApi({ hintRun: async (sessionId) => nextMessage.resolve(sessionId) });
  turns = createPlayedTurns(api.eventLog);
});
afterAll(() => api.stop());
beforeEach(async () => {
  nextMessage = Promise.withResolvers<string>();
  root = await mkdtemp(path.join(tmpdir(), "deckhand-chat-"));
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
  await rm(root, { recursive: true });
});

/** `deckhand chat` in a process of its own, with pipes for a terminal. */
function startChat(args: string[] = [], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [CLI, "chat", "--url", api.baseURL, "--thread", "t1", ...args], {
    cwd: root,
    env: { PATH: process.env["PATH"], DECKHAND_HOME: path.join(root, ".home"), DECKHAND_API_KEY: api.key, ...env },
  });
  running.add(child);
  let shown = "";
  const changed: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      shown += text;
      for (const wake of changed.splice(0)) wake();
    });
  }
  const closed = once(child, "close");
  return {
    say: (line: string) => child.stdin.write(`${line}\n`),
    end: () => child.stdin.end(),
    kill: () => child.kill("SIGKILL"),
    shown: () => shown,
    async shows(text: string) {
      while (!shown.includes(text)) await new Promise<void>((resolve) => void changed.push(resolve));
    },
    exitCode: async () => {
      await closed;
      return child.exitCode;
    },
  };
}

const saved = async () => (await readdir(root)).filter((name) => !name.startsWith("."));
const output = (sessionId: string, content: string) =>
  api.files.saveOutput({
    workspaceId: api.workspaceId,
    sessionId,
    path: "report.csv",
    mtimeNs: String(process.hrtime.bigint()),
    content: Readable.from([Buffer.from(content)]),
    preview: null,
  });

describe("chat from a pipe", () => {
  it("asks before a call that people must approve, and takes `approve` for an answer", async () => {
    const chat = startChat();
    chat.say("Clean up");
    const sessionId = await nextMessage.promise;
    await turns.takeUp(sessionId);
    const call = asked("bash", { command: "rm -r old" });
    await turns.commit(sessionId, said("I clean up."), call, waitsFor(call));
    await chat.shows("Waiting for you");
    expect(chat.shown()).toContain("rm -r old");
    nextMessage = Promise.withResolvers<string>();
    chat.say("approve");
    await nextMessage.promise;
    const [taken] = await turns.takeUp(sessionId);
    expect(taken).toMatchObject({ type: "user.tool_confirmation", tool_use_id: call.id, result: "allow" });
    await turns.commit(sessionId, said("It is clean."), idleEvent());
    await chat.shows("Done in");
    chat.end();
    expect(await chat.exitCode()).toBe(0);
    expect(chat.shown()).toContain("It is clean.");
    expect(chat.shown().match(/I clean up/g)).toHaveLength(1);
  });

  it("sends each line, waits at the end of input for the answer, and saves what was made", async () => {
    const chat = startChat();
    chat.say("Make a report");
    chat.end();
    const sessionId = await nextMessage.promise;
    await turns.takeUp(sessionId);
    await output(sessionId, "a,b");
    await turns.commit(sessionId, said("Here it is."), idleEvent());
    expect(await chat.exitCode()).toBe(0);
    expect(chat.shown()).toContain("Here it is.");
    expect(await saved()).toEqual(["report.csv"]);
    expect(await readFile(path.join(root, "report.csv"), "utf8")).toBe("a,b");
  });

  it("killed in the middle of a turn, brings the rest when it is opened again: all of it, once", async () => {
    const killed = startChat();
    killed.say("Make a report");
    const sessionId = await nextMessage.promise;
    await turns.takeUp(sessionId);
    await turns.commit(sessionId, said("I look at the data."), tool("bash", { command: "head data.csv" }));
    await killed.shows("I look at the data");
    killed.kill();
    await killed.exitCode();
    await output(sessionId, "a,b");
    await turns.commit(sessionId, said("Here it is."), idleEvent());

    for (let time = 0; time < 2; time++) {
      const again = startChat();
      again.end();
      expect(await again.exitCode()).toBe(0);
      expect(again.shown().split("Here it is.")).toHaveLength(2);
      expect(await saved()).toEqual(["report.csv"]);
    }
    expect((await api.client.beta.sessions.events.list(sessionId, { types: ["user.message"] })).data).toHaveLength(1);
  });

  it("sends a line that was taken down but not sent when the process died", async () => {
    const first = startChat();
    first.say("One");
    const sessionId = await nextMessage.promise;
    await turns.takeUp(sessionId);
    await turns.commit(sessionId, said("First answer."), idleEvent());
    await first.shows("First answer.");
    first.kill();
    await first.exitCode();
    await writeDown();

    nextMessage = Promise.withResolvers<string>();
    const again = startChat();
    again.end();
    expect(await nextMessage.promise).toBe(sessionId);
    await turns.takeUp(sessionId);
    await turns.commit(sessionId, said("Second answer."), idleEvent());
    expect(await again.exitCode()).toBe(0);
    expect(again.shown()).toContain("Second answer.");
  });

  it("says what is wrong with a file, and goes on", async () => {
    const chat = startChat();
    for (const line of ["/attach nowhere.csv", "/attach .", "/attach", "/atach x"]) chat.say(line);
    chat.end();
    expect(await chat.exitCode()).toBe(0);
    for (const text of ["there is no such file", "is a folder", "Say which file", "Did you mean /attach"]) {
      expect(chat.shown()).toContain(text);
    }
  });
});

describe("chat", () => {
  it("keeps a second terminal out of a thread", async () => {
    const first = startChat();
    await first.shows("Thread t1");
    first.say("/help");
    await first.shows("/attach FILE");
    const second = startChat();
    second.end();
    expect(await second.exitCode()).toBe(1);
    expect(second.shown()).toContain("is open in another terminal");
    first.end();
    expect(await first.exitCode()).toBe(0);
  });

  it.each([
    ["a key the server does not know", { DECKHAND_API_KEY: "wrong-key-0123456789" }, [], "The API key is not valid"],
    ["a server that is not there", {}, ["--url", "http://127.0.0.1:1"], "Nothing answers at http://127.0.0.1:1"],
    ["an agent that is not there", {}, ["--agent", "agent_nobody"], "was not found"],
  ])("says so, and exits 1, with %s", async (_, env, args, text) => {
    const chat = startChat(args, env);
    chat.end();
    expect(await chat.exitCode()).toBe(1);
    expect(chat.shown()).toContain(text);
    expect(chat.shown()).not.toContain("{");
  });
});

/** Puts a line into the transcript as a process does that dies right after. */
async function writeDown(): Promise<void> {
  const transcript = await openTranscript(path.join(root, ".home/terminal/t1.jsonl"));
  await transcript.append({ type: "said", id: "unsent", text: "Two", attachments: [] });
}
