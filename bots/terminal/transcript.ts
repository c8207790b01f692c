import { appendFile, mkdir, readFile, truncate } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

const StatusCard = z.object({
  state: z.enum(["working", "waiting", "done", "stopped", "failed"]),
  steps: z.array(
    z.object({
      label: z.string(),
      state: z.enum(["running", "done", "stopped"]),
      detail: z.string().nullable(),
      toolCount: z.number(),
    }),
  ),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  tokens: z.number(),
  costCents: z.number().nullable().default(null),
  note: z.string().nullable(),
  draft: z.string().nullable(),
});

const ApprovalCard = z.object({
  toolUseId: z.string(),
  toolName: z.string(),
  summary: z.string(),
  detail: z.string(),
  approvers: z.array(z.string()).readonly(),
  requester: z.string().nullable(),
  state: z.discriminatedUnion("type", [
    z.object({ type: z.literal("open"), expiresAt: z.number().nullable() }),
    z.object({
      type: z.literal("decided"),
      decision: z.enum(["allow", "deny"]),
      by: z.string(),
      at: z.number(),
      reason: z.string().nullable(),
    }),
    z.object({ type: z.literal("expired"), at: z.number() }),
    z.object({ type: z.literal("moot") }),
  ]),
});

const Message = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), markdown: z.string(), answerId: z.string().nullable().default(null) }),
  z.object({ type: z.literal("notice"), level: z.enum(["info", "warning", "error"]), markdown: z.string() }),
  z.object({ type: z.literal("status"), card: StatusCard }),
  z.object({ type: z.literal("approval"), card: ApprovalCard }),
]);

/** One line of a transcript. */
export const TranscriptEntry = z.discriminatedUnion("type", [
  /** What the person wrote. `attachments` are absolute paths. */
  z.object({ type: z.literal("said"), id: z.string(), text: z.string(), attachments: z.array(z.string()) }),
  z.object({ type: z.literal("posted"), ref: z.string(), marker: z.string(), message: Message }),
  z.object({ type: z.literal("updated"), ref: z.string(), message: Message }),
  /** A file is about to be saved at `path`, which nothing else has. */
  z.object({ type: z.literal("saving"), fileId: z.string(), path: z.string() }),
  z.object({ type: z.literal("saved"), fileId: z.string(), path: z.string(), bytes: z.number() }),
  /** All files of an upload are saved. */
  z.object({ type: z.literal("uploaded"), ref: z.string(), marker: z.string(), fileIds: z.array(z.string()) }),
]);
export type TranscriptEntry = z.infer<typeof TranscriptEntry>;

/** What was said in a terminal thread: it is for the terminal what a chat service's own storage is for the others. */
export interface Transcript {
  /** Oldest first. */
  readonly entries: readonly TranscriptEntry[];
  /** Resolves when the entry is in the file. */
  append(entry: TranscriptEntry): Promise<void>;
}

/**
 * Opens `file`, a JSON entry a line, and makes it when it is missing. A last line that a crash cut short is dropped.
 * Only one process may have it open.
 */
export async function openTranscript(file: string): Promise<Transcript> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await appendFile(file, "", { mode: 0o600 });
  const entries = await readEntries(file);
  let last: Promise<void> = Promise.resolve();
  return {
    entries,
    async append(entry) {
      const line = `${JSON.stringify(entry)}\n`;
      entries.push(entry);
      last = last.then(() => appendFile(file, line));
      await last;
    },
  };
}

async function readEntries(file: string): Promise<TranscriptEntry[]> {
  const text = await readFile(file, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) await truncate(file, Buffer.byteLength(whole));
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => TranscriptEntry.parse(JSON.parse(line)));
}
