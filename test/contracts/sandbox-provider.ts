import { Readable } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { type Sandbox, SandboxLostError, type SandboxProvider, type SandboxShape } from "../../src/sandbox/sandbox.ts";
import { bash, NEVER, newCallId, newSessionId, run, textOf } from "../support/sandboxes.ts";

export interface SandboxProviderSetup {
  shape: SandboxShape;
  /** A provider of the same installation; each call gives one as another process would have it. */
  provider(): SandboxProvider;
  /** Takes the sandbox away behind the provider's back. */
  lose(ref: string): Promise<void>;
  /** How many sandboxes exist, pooled ones not counted. */
  count(): Promise<number>;
}

/** What every driver of `SandboxProvider` keeps to. */
export function describeSandboxProvider(
  driver: string,
  { shape, provider: newProvider, lose, count }: SandboxProviderSetup,
) {
  const provider = newProvider();
  const open = () => provider.provision({ sessionId: newSessionId(), shape }, NEVER);

  describe(`${driver}: provider`, () => {
    it("provisions a sandbox that answers and is listed under its session", async () => {
      const sessionId = newSessionId();
      const sandbox = await provider.provision({ sessionId, shape }, NEVER);
      expect(await bash(sandbox, "echo hello")).toBe("hello\n");
      expect(sandbox.image).toBe(shape.image);
      expect(await newProvider().list()).toContainEqual({ ref: sandbox.ref, sessionId });
    });

    it("gives no sandbox to two sessions", async () => {
      const sandboxes = await Promise.all([open(), open(), open()]);
      expect(new Set(sandboxes.map(({ ref }) => ref)).size).toBe(3);
    });

    it.each([0, 20, 100, 250])("leaves nothing behind when provisioning is aborted after %d ms", async (delayMs) => {
      const before = await count();
      const aborting = new AbortController();
      const reason = new Error("no longer needed");
      const provisioning = provider.provision({ sessionId: newSessionId(), shape }, aborting.signal);
      setTimeout(() => aborting.abort(reason), delayMs);
      const outcome = await provisioning.catch((error: unknown) => error);
      if (outcome === reason) expect(await count()).toBe(before);
      else expect(await count()).toBe(before + 1); // it was faster
    });

    it("rejects at once when the signal has aborted before", async () => {
      const reason = new Error("too late");
      const gone = AbortSignal.abort(reason);
      const sandbox = await open();
      const before = await count();
      await expect(provider.provision({ sessionId: newSessionId(), shape }, gone)).rejects.toBe(reason);
      await expect(provider.attach(sandbox.ref, gone)).rejects.toBe(reason);
      await expect(sandbox.call(newCallId(), { op: "bash", command: "touch ran" }, gone)).rejects.toBe(reason);
      expect(await bash(sandbox, "ls ran")).toContain("No such file");
      expect(await count()).toBe(before);
    });

    it("rejects when the image does not exist, and leaves nothing behind", async () => {
      const before = await count();
      await expect(
        provider.provision({ sessionId: newSessionId(), shape: { ...shape, image: "deckhand/none:none" } }, NEVER),
      ).rejects.toThrow();
      expect(await count()).toBe(before);
    });

    it("lets another process join a sandbox", async () => {
      const sandbox = await open();
      await bash(sandbox, "echo kept >/workspace/file");
      const joined = await newProvider().attach(sandbox.ref, NEVER);
      expect(joined && (await bash(joined, "cat /workspace/file"))).toBe("kept\n");
    });

    it("pauses and stops a sandbox, which goes on or starts anew when it is joined", async () => {
      const sandbox = await open();
      await bash(sandbox, "here=kept; echo kept >/workspace/file");
      await sandbox.detach();
      for (const again of ["once", "twice"]) await provider.pause(sandbox.ref).catch(failed(`pause ${again}`));
      const paused = await attached(newProvider(), sandbox.ref);
      expect(await bash(paused, "cat /workspace/file; echo $here")).toBe("kept\nkept\n");
      await paused.detach();
      await provider.pause(sandbox.ref); // what is frozen can be stopped too
      for (const again of ["once", "twice"]) await provider.stop(sandbox.ref).catch(failed(`stop ${again}`));
      await provider.pause(sandbox.ref);
      const stopped = await attached(newProvider(), sandbox.ref);
      expect(await bash(stopped, "cat /workspace/file; echo $here")).toBe("kept\n\n");
      await provider.destroy(sandbox.ref);
      for (const gone of [sandbox.ref, "../etc"]) await Promise.all([provider.pause(gone), provider.stop(gone)]);
    });

    it("attaches to nothing that is gone or never was", async () => {
      const sandbox = await open();
      await provider.destroy(sandbox.ref);
      await provider.destroy(sandbox.ref);
      expect(await provider.attach(sandbox.ref, NEVER)).toBeNull();
      expect(await provider.attach("f".repeat(64), NEVER)).toBeNull();
      expect(await provider.attach("../etc", NEVER)).toBeNull();
    });

    it("leaves the sandboxes of sessions running when it closes", async () => {
      const closing = newProvider();
      const sandbox = await closing.provision({ sessionId: newSessionId(), shape }, NEVER);
      await closing.close();
      await closing.close();
      expect(await newProvider().attach(sandbox.ref, NEVER)).not.toBeNull();
    });
  });

  describe(`${driver}: calls`, () => {
    it("runs a call once, however often and by whomever it is asked for", async () => {
      const sandbox = await open();
      const joined = await newProvider().attach(sandbox.ref, NEVER);
      if (!joined) throw new Error("not joined");
      const callId = newCallId();
      const op = { op: "bash", command: "sleep 0.3; echo x >>/workspace/count; wc -l </workspace/count" } as const;
      const first = [sandbox.call(callId, op, NEVER), sandbox.call(callId, op, NEVER), joined.call(callId, op, NEVER)];
      const results = [...(await Promise.all(first)), await joined.call(callId, op, NEVER)];
      expect(results.map(textOf)).toEqual(["1\n", "1\n", "1\n", "1\n"]);
      expect(await bash(sandbox, "cat /workspace/count")).toBe("x\n");
    });

    it("goes on with a call when nobody listens any more, and keeps its result", async () => {
      const leaving = newProvider();
      const sandbox = await leaving.provision({ sessionId: newSessionId(), shape }, NEVER);
      const callId = newCallId();
      const op = { op: "bash", command: "sleep 0.5; echo done | tee -a /workspace/log" } as const;
      const left = sandbox.call(callId, op, NEVER).catch((error: unknown) => error);
      await bash(await attached(newProvider(), sandbox.ref), "true"); // runs after the call, so the call has begun
      await sandbox.detach();
      await sandbox.detach();
      await left;
      const joined = await attached(newProvider(), sandbox.ref);
      expect(textOf(await joined.call(callId, op, NEVER))).toBe("done\n");
      expect(await bash(joined, "cat /workspace/log")).toBe("done\n");
    });

    it("kills an aborted call and journals it as interrupted", async () => {
      const sandbox = await open();
      const aborting = new AbortController();
      const reason = new Error("stop");
      const callId = newCallId();
      const op = { op: "bash", command: "touch /workspace/begun; sleep 30; touch /workspace/survived" } as const;
      const call = sandbox.call(callId, op, aborting.signal);
      await run(sandbox, { op: "glob", pattern: "*" }); // sent later, so the runner has the call by now
      aborting.abort(reason);
      await expect(call).rejects.toBe(reason);
      const repeated = await sandbox.call(callId, op, NEVER);
      expect(repeated.isError).toBe(true);
      expect(textOf(repeated)).toContain("interrupted");
      expect(await bash(sandbox, "pgrep -u agent -c sleep; ls /workspace/survived")).toMatch(/^0\n.*No such file/);
    });

    it("makes a failed tool a result", async () => {
      const sandbox = await open();
      expect((await run(sandbox, { op: "read", file_path: "nowhere" })).isError).toBe(true);
    });

    it("rejects everything with SandboxLostError once the sandbox is gone", async () => {
      const sandbox = await open();
      const running = sandbox
        .call(newCallId(), { op: "bash", command: "sleep 60" }, NEVER)
        .catch((error: unknown) => error);
      await run(sandbox, { op: "glob", pattern: "*" });
      await lose(sandbox.ref);
      expect(await running).toBeInstanceOf(SandboxLostError);
      const lost = { path: "a", size: 1, mtimeNs: "1" };
      const later = [
        sandbox.call(newCallId(), { op: "bash", command: "true" }, NEVER),
        sandbox.putUpload("a", Readable.from([Buffer.alloc(10_000_000)]), 10_000_000, NEVER),
        sandbox.writeText("a", "a", NEVER),
        sandbox.setEnvironment({ A: "a" }, NEVER),
        sandbox.listOutputs(NEVER),
        buffer(sandbox.readOutput(lost, NEVER)),
        sandbox.renderPreview("a.pdf", NEVER),
      ];
      for (const outcome of await Promise.allSettled<unknown>(later)) {
        expect(outcome.status === "rejected" && outcome.reason).toBeInstanceOf(SandboxLostError);
      }
    });
  });

  describe(`${driver}: files`, () => {
    it("puts uploads where the tools can read but not change them, and replaces them", async () => {
      const sandbox = await open();
      for (const text of ["first", "second"]) {
        await sandbox.putUpload(
          "/mnt/session/uploads/a b/ü.txt",
          Readable.from([text]),
          Buffer.byteLength(text),
          NEVER,
        );
      }
      expect(await bash(sandbox, "cat '/uploads/a b/ü.txt'; stat -c ' %U %a' '/uploads/a b/ü.txt'")).toBe(
        "second root 444\n",
      );
      const attempts = "echo x >'a b/ü.txt'; rm -f 'a b/ü.txt'; touch 'a b/new'; mv 'a b' c; chmod 777 'a b'";
      await bash(sandbox, `cd /mnt/session/uploads; ${attempts}`);
      expect(await bash(sandbox, "cd /mnt/session/uploads; find . | sort; cat a*/*")).toBe(
        ".\n./a b\n./a b/ü.txt\nsecond",
      );
    });

    it.each(["../x", "/etc/passwd", "a/../../x", "", ".", "a/", "a\nb"])("refuses the upload path %j", async (path) => {
      const sandbox = await open();
      await expect(sandbox.putUpload(path, Readable.from(["x"]), 1, NEVER)).rejects.toThrow("path");
    });

    it.each([2, 0])("refuses an upload whose size is said to be %d and is 1", async (size) => {
      const sandbox = await open();
      await expect(sandbox.putUpload("f", Readable.from(["x"]), size, NEVER)).rejects.toThrow();
    });

    it("ends an upload that is aborted, or whose source fails", async () => {
      const sandbox = await open();
      const endless = () =>
        Readable.from(
          (function* () {
            for (;;) yield Buffer.alloc(65_536);
          })(),
        );
      const aborting = new AbortController();
      const reason = new Error("no longer needed");
      const content = endless();
      content.once("data", () => aborting.abort(reason)).pause();
      await expect(sandbox.putUpload("f", content, 10 ** 12, aborting.signal)).rejects.toBe(reason);
      expect(content.destroyed).toBe(true);
      const failing = new Readable({ read: () => failing.destroy(new Error("disk gone")) });
      await expect(sandbox.putUpload("f", failing, 1000, NEVER)).rejects.toThrow("disk gone");
      expect(await bash(sandbox, "echo alive")).toBe("alive\n");
    });

    it("carries 50 MB in and out whole", async () => {
      const sandbox = await open();
      const megabytes = Array.from({ length: 50 }, (_, index) => Buffer.alloc(1_000_000, index));
      await sandbox.putUpload("big", Readable.from(megabytes), 50_000_000, NEVER);
      await bash(sandbox, "cp /mnt/session/uploads/big /mnt/session/outputs/big");
      const [file] = await sandbox.listOutputs(NEVER);
      if (!file) throw new Error("no output");
      const parts: Buffer[] = await Readable.from(sandbox.readOutput(file, NEVER)).toArray();
      expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(1024 * 1024);
      expect(Buffer.compare(Buffer.concat(parts), Buffer.concat(megabytes))).toBe(0);
    });

    it("lists outputs in path order and reads each as it was listed", async () => {
      const sandbox = await open();
      await sandbox.writeText("/mnt/session/outputs/sub/b.txt", "b", NEVER);
      await sandbox.writeText("/mnt/session/outputs/a.txt", "naïve", NEVER);
      const files = await sandbox.listOutputs(NEVER);
      expect(files.map(({ path, size }) => [path, size])).toEqual([
        ["a.txt", 6],
        ["sub/b.txt", 1],
      ]);
      const [first] = files;
      if (!first) throw new Error("no output");
      expect(await text(sandbox.readOutput(first, NEVER))).toBe("naïve");
      await sandbox.writeText("/mnt/session/outputs/a.txt", "other", NEVER);
      await expect(text(sandbox.readOutput(first, NEVER))).rejects.toThrow("a.txt");
    });

    it("ends the reading of an output when the signal aborts, and goes on working", async () => {
      const sandbox = await open();
      await bash(sandbox, "head -c 8M /dev/urandom >/mnt/session/outputs/big");
      const [file] = await sandbox.listOutputs(NEVER);
      if (!file) throw new Error("no output");
      const aborting = new AbortController();
      const reason = new Error("stop");
      const parts = sandbox.readOutput(file, aborting.signal)[Symbol.asyncIterator]();
      expect((await parts.next()).done).toBe(false);
      const next = parts.next();
      aborting.abort(reason);
      await expect(next).rejects.toBe(reason);
      expect((await parts.next()).done).toBe(true);
      expect(await bash(sandbox, "echo alive")).toBe("alive\n");
    });

    it("shows the first page of an office file, and nothing of what is none", async () => {
      const sandbox = await open();
      await bash(
        sandbox,
        `cd /mnt/session/outputs; python3 -c "
import openpyxl; book = openpyxl.Workbook(); book.active.append(['a', 1]); book.save('book.xlsx')"
printf nonsense >broken.docx; printf x >plain.bin`,
      );
      const picture = await sandbox.renderPreview("book.xlsx", NEVER);
      expect(picture?.subarray(1, 4).toString()).toBe("PNG");
      expect(picture?.readUInt32BE(16)).toBe(1000);
      expect(await sandbox.renderPreview("plain.bin", NEVER)).toBeNull();
      expect(await sandbox.renderPreview("missing.pdf", NEVER)).toBeNull();
      expect(await sandbox.renderPreview("../../../etc/passwd.pdf", NEVER)).toBeNull();
    });
  });
}

const failed = (what: string) => (cause: unknown) => {
  throw new Error(`${what} failed`, { cause });
};

async function attached(provider: SandboxProvider, ref: string): Promise<Sandbox> {
  const sandbox = await provider.attach(ref, NEVER);
  if (!sandbox) throw new Error(`${ref} is gone`);
  return sandbox;
}
