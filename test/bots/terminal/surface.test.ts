import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChatFile } from "../../../bots/shared/chat-surface.ts";
import { chatThreadKey } from "../../../bots/shared/chat-thread.ts";
import { replay } from "../../../bots/terminal/replay.ts";
import { saveFile } from "../../../bots/terminal/save-file.ts";
import { createStyle } from "../../../bots/terminal/style.ts";
import { createTerminalSurface } from "../../../bots/terminal/surface.ts";
import { openTranscript, type Transcript } from "../../../bots/terminal/transcript.ts";
import { createPlainView } from "../../../bots/terminal/views.ts";
import { chatSurfaceContract } from "../../contracts/chat-surface.ts";

const { signal } = new AbortController();

const layout = { style: createStyle(false), cells: 80 };

chatSurfaceContract("terminal", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "deckhand-terminal-"));
  let threads = 0;
  return {
    async newThread() {
      const id = `t${++threads}`;
      const file = path.join(root, `${id}.jsonl`);
      const folder = path.join(root, id);
      const open = async () =>
        createTerminalSurface({
          transcript: await openTranscript(file),
          view: createPlainView(() => undefined, layout, root),
          folder,
          savePreviews: false,
        });
      return {
        thread: chatThreadKey({ surface: "terminal", id }),
        surface: await open(),
        afterCrash: open,
        async seen() {
          const shown: string[] = [];
          const view = createPlainView((text) => shown.push(text), layout, root);
          const latest = latestOf(await openTranscript(file));
          replay(latest, view);
          // A status that runs is on the live screen only.
          for (const entry of latest.entries) {
            if (entry.type === "posted" && entry.message.type === "status") view.status(entry.message.card);
          }
          const names = await readdir(folder).catch(() => []);
          const files = names.map(async (name) => [name, await readFile(path.join(folder, name), "utf8")]);
          return { texts: shown.join("\n"), files: Object.fromEntries(await Promise.all(files)) };
        },
      };
    },
    close: () => rm(root, { recursive: true }),
  };
});

/** Each message as it reads now. */
function latestOf(transcript: Transcript): Transcript {
  const updated = new Set(transcript.entries.flatMap((entry) => (entry.type === "updated" ? entry.ref : [])));
  const entries = transcript.entries.filter((entry) => entry.type !== "posted" || !updated.has(entry.ref));
  return { ...transcript, entries };
}

describe("files that are saved", () => {
  let root: string;
  let transcript: Transcript;
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "deckhand-save-"));
    transcript = await openTranscript(path.join(root, "thread.jsonl"));
  });
  afterEach(() => rm(root, { recursive: true }));

  const made = (id: string, filename: string, content: string, preview: string | null = null): ChatFile => ({
    id,
    filename,
    mimeType: "text/plain",
    sizeBytes: Buffer.byteLength(content),
    content: async () => new Blob([content]).stream(),
    preview: async () => (preview === null ? null : Buffer.from(preview)),
    link: async () => null,
  });
  const out = () => path.join(root, "out");
  const contents = async () => {
    const names = (await readdir(out())).toSorted();
    return Promise.all(names.map(async (name) => [name, await readFile(path.join(out(), name), "utf8")]));
  };

  it("never take the place of another file", async () => {
    for (const [id, content] of [
      ["f1", "one"],
      ["f2", "two"],
      ["f3", "three"],
    ] as const) {
      await saveFile(transcript, out(), made(id, "report.xlsx", content), signal);
    }
    expect(await contents()).toEqual([
      ["report (2).xlsx", "two"],
      ["report (3).xlsx", "three"],
      ["report.xlsx", "one"],
    ]);
  });

  it("stay in the folder, whatever their name says", async () => {
    await saveFile(transcript, out(), made("f1", "../../etc/pass\u0007wd", "x"), signal);
    await saveFile(transcript, out(), made("f2", "..", "y"), signal);
    expect(await contents()).toEqual([
      ["file", "y"],
      ["passwd", "x"],
    ]);
  });

  it("are saved once when the process died right after the file appeared", async () => {
    const target = path.join(out(), "report.xlsx");
    await transcript.append({ type: "saving", fileId: "f1", path: target });
    await mkdir(out());
    await writeFile(target, "one");
    const again = await openTranscript(path.join(root, "thread.jsonl"));
    expect(await saveFile(again, out(), made("f1", "report.xlsx", "one"), signal)).toMatchObject({ path: target });
    expect(await contents()).toEqual([["report.xlsx", "one"]]);
  });

  it("are saved beside a file that took the announced name meanwhile", async () => {
    await saveFile(transcript, out(), made("f0", "other.txt", "-"), signal);
    await transcript.append({ type: "saving", fileId: "f1", path: path.join(out(), "report.xlsx") });
    await writeFile(path.join(out(), "report.xlsx"), "somebody else's");
    await saveFile(transcript, out(), made("f1", "report.xlsx", "ours"), signal);
    expect(await contents()).toContainEqual(["report.xlsx", "somebody else's"]);
    expect(await contents()).toContainEqual(["report (2).xlsx", "ours"]);
  });

  it("leave nothing behind when the download breaks off", async () => {
    const short = { ...made("f1", "report.xlsx", "half"), sizeBytes: 8 };
    await expect(saveFile(transcript, out(), short, signal)).rejects.toThrow("4 bytes instead of 8");
    expect(await readdir(out())).toEqual([]);
  });

  it("come with their previews where those are wanted", async () => {
    const surface = createTerminalSurface({
      transcript,
      view: createPlainView(() => undefined, layout, root),
      folder: out(),
      savePreviews: true,
    });
    await surface.upload(
      "terminal:t1",
      [made("f1", "report.xlsx", "one", "PNG"), made("f2", "a.txt", "two")],
      "dh_1",
      signal,
    );
    expect(await contents()).toEqual([
      ["a.txt", "two"],
      ["report.xlsx", "one"],
      ["report.xlsx.png", "PNG"],
    ]);
  });
});

describe("a transcript", () => {
  it("drops a line that a crash cut short, and goes on behind it", async () => {
    const root = await mkdtemp(path.join(tmpdir(), "deckhand-transcript-"));
    const file = path.join(root, "thread.jsonl");
    const first = await openTranscript(file);
    await first.append({ type: "said", id: "1", text: "Grüße", attachments: [] });
    await writeFile(file, '{"type":"said","id":"2","te', { flag: "a" });
    const second = await openTranscript(file);
    expect(second.entries.map((entry) => entry.type === "said" && entry.id)).toEqual(["1"]);
    await second.append({ type: "said", id: "3", text: "go on", attachments: [] });
    expect((await openTranscript(file)).entries).toHaveLength(2);
    await rm(root, { recursive: true });
  });
});
