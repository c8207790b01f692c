import { text } from "node:stream/consumers";
import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import { collectOutputs, TURN_BYTES_MAX, TURN_FILES_MAX } from "../../src/harness/collect-outputs.ts";
import type { SessionFiles, SessionOutput } from "../../src/harness/session-files.ts";
import { type OutputFile, type Sandbox, SandboxLostError } from "../../src/sandbox/sandbox.ts";
import { createFakeSandboxes, textResult } from "../fakes/sandbox.ts";
import { shapeOf } from "../support/sandbox-shape.ts";

const SESSION = { sessionId: "sesn_1", workspaceId: "wrkspc_1" };
const PNG = Buffer.from("a picture");

let plain: Sandbox;
let logged: string;
let saved: Map<string, { content: string; preview: Buffer | null }>;
/** Files that are being read or stored at this moment, and the most there ever were. */
let reading: { now: number; most: number };
beforeEach(async () => {
  const { provider } = createFakeSandboxes(async () => textResult(""));
  plain = await provider.provision({ sessionId: SESSION.sessionId, shape: shapeOf("test") }, AbortSignal.any([]));
  logged = "";
  saved = new Map();
  reading = { now: 0, most: 0 };
});

const file = (path: string, size = 1): OutputFile => ({ path, size, mtimeNs: "1" });
const log = pino({ level: "warn" }, { write: (line) => (logged += line) });
const keep = async ({ path, content, preview }: SessionOutput) => {
  saved.set(path, { content: await text(content), preview });
};

/** @param save stands in for the store */
function collect(
  changed: OutputFile[],
  sandbox: Partial<Sandbox>,
  { save = keep, signal = AbortSignal.any([]) }: { save?: SessionFiles["saveOutput"]; signal?: AbortSignal } = {},
) {
  const files: SessionFiles = {
    open: () => Promise.reject(new Error("nothing is mounted")),
    load: async () => null,
    outputsOf: async () => new Map(),
    saveOutput: save,
  };
  return collectOutputs({ ...plain, readOutput, ...sandbox }, changed, files, SESSION, log, signal);
}

async function* readOutput({ path }: OutputFile) {
  reading.now += 1;
  reading.most = Math.max(reading.most, reading.now);
  yield Buffer.from("bytes of ");
  yield Buffer.from(path);
  reading.now -= 1;
}

it("reads one file at a time, and renders at most two while it does", async () => {
  const begun: { path: string; finish(picture: Buffer): void }[] = [];
  const renderPreview = (path: string) => {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    begun.push({ path, finish: resolve });
    return promise;
  };
  const names = ["a.csv", "b.xlsx", "c.pptx", "d.docx", "e.pdf"];
  const collecting = collect(
    names.map((name) => file(name)),
    { renderPreview },
  );
  const paths = () => begun.map(({ path }) => path);

  await expect.poll(() => [...saved.keys()]).toEqual(["a.csv"]);
  expect(paths()).toEqual(["b.xlsx", "c.pptx"]);
  begun[0]?.finish(PNG);
  await expect.poll(() => [...saved.keys()]).toEqual(["a.csv", "b.xlsx"]);
  expect(paths()).toEqual(["b.xlsx", "c.pptx", "d.docx"]);
  begun[2]?.finish(PNG);
  begun[1]?.finish(PNG);
  await expect.poll(paths).toEqual(["b.xlsx", "c.pptx", "d.docx", "e.pdf"]);
  begun[3]?.finish(PNG);
  await collecting;
  expect(Object.fromEntries(saved)).toEqual(
    Object.fromEntries(
      names.map((name) => [name, { content: `bytes of ${name}`, preview: name === "a.csv" ? null : PNG }]),
    ),
  );
  expect(reading.most).toBe(1);
});

it("brings no more files than one turn may, and says how many are left", async () => {
  await collect(
    Array.from({ length: TURN_FILES_MAX + 3 }, (_, index) => file(`f${index}`)),
    {},
  );
  expect(saved.size).toBe(TURN_FILES_MAX);
  expect(JSON.parse(logged)).toMatchObject({ session_id: SESSION.sessionId, left_out: 3 });
});

it("brings no more bytes than one turn may, but what fits", async () => {
  const third = TURN_BYTES_MAX / 3;
  await collect([file("a", third), file("b", 2 * third + 1), file("c", 2 * third), file("d", 1)], {});
  expect([...saved.keys()]).toEqual(["a", "c"]);
  expect(JSON.parse(logged)).toMatchObject({ left_out: 2 });
});

it.each(["reading", "rendering"])("leaves a file whose %s fails for the next turn", async (what) => {
  await collect([file("a.pdf"), file("b.pdf"), file("c.txt")], {
    async *readOutput({ path }) {
      yield Buffer.from("half");
      if (what === "reading" && path === "a.pdf") throw new Error("a.pdf: has changed since it was listed");
    },
    async renderPreview(path) {
      if (what === "rendering" && path === "a.pdf") throw new Error("a.pdf: no space left");
      return null;
    },
  });
  expect([...saved.keys()]).toEqual(["b.pdf", "c.txt"]);
  expect(JSON.parse(logged)).toMatchObject({ error: expect.stringContaining("a.pdf") });
});

it("does not take the store's failure for the sandbox's, and ends what is being rendered", async () => {
  const failure = new Error("the disk is full");
  let stopped = false;
  const rendering = collect(
    [file("a.txt"), file("b.pdf")],
    {
      renderPreview(_, signal) {
        const { promise, reject } = Promise.withResolvers<null>();
        signal.addEventListener("abort", () => {
          stopped = true;
          reject(signal.reason);
        });
        return promise;
      },
    },
    { save: () => Promise.reject(failure) },
  );
  await expect(rendering).rejects.toBe(failure);
  expect(stopped).toBe(true);
});

it("ends with the loss of the sandbox", async () => {
  const lost = new SandboxLostError("The sandbox was lost.");
  const losing = async function* () {
    yield Buffer.from("half");
    throw lost;
  };
  await expect(collect([file("a"), file("b")], { readOutput: losing })).rejects.toBe(lost);
  expect(saved.size).toBe(0);
});

it("ends with the signal's reason when it aborts", async () => {
  const aborting = new AbortController();
  const reason = new Error("interrupted");
  const stopping = async function* () {
    yield Buffer.from("half");
    aborting.abort(reason);
    throw reason;
  };
  await expect(collect([file("a"), file("b")], { readOutput: stopping }, { signal: aborting.signal })).rejects.toBe(
    reason,
  );
  expect(saved.size).toBe(0);
});
