import path from "node:path";
import type { ChatFile, ChatMessage, ChatSurface, StatusCard, WordsMessage } from "../shared/chat-surface.ts";
import { approvalWords } from "./approval-words.ts";
import { saveFile, type SavedFile } from "./save-file.ts";
import type { Transcript } from "./transcript.ts";

/** Where a terminal thread is seen. What it is given is in the transcript already. */
export interface TerminalView {
  said(text: string, attachments: string[]): void;
  message(message: WordsMessage): void;
  /** The one status there is. A card with `endedAt` is the last of its turn. */
  status(card: StatusCard): void;
  files(files: SavedFile[], folder: string): void;
  queued(): void;
}

export interface TerminalSurfaceDeps {
  transcript: Transcript;
  view: TerminalView;
  /** Where files are saved. */
  folder: string;
  /** Whether the preview of `report.xlsx` is saved as `report.xlsx.png`. */
  savePreviews: boolean;
}

const ANSWER_CHARS_MAX = 100_000;
const REDRAW_INTERVAL_MS = 80;

/** A terminal as a place to talk: posts go to the transcript and then to the screen, files into a folder. */
export function createTerminalSurface({ transcript, view, folder, savePreviews }: TerminalSurfaceDeps): ChatSurface {
  const nextRef = () => `${transcript.entries.length + 1}`;
  const show = (message: ChatMessage) => {
    if (message.type === "status") view.status(message.card);
    else if (message.type === "approval") view.message(approvalWords(message.card));
    else view.message(message);
  };

  return {
    name: "terminal",
    limits: () => ({
      markdownCharsMax: ANSWER_CHARS_MAX,
      updateIntervalMs: REDRAW_INTERVAL_MS,
      heartbeatMs: null,
      drafts: "status",
    }),

    async post(_thread, message, marker, signal) {
      signal.throwIfAborted();
      const ref = nextRef();
      await transcript.append({ type: "posted", ref, marker, message });
      show(message);
      return ref;
    },

    async update(_thread, ref, message, signal) {
      signal.throwIfAborted();
      // What a running status said in between is worth nothing later.
      const lasting = message.type !== "status" || message.card.endedAt !== null;
      if (lasting) await transcript.append({ type: "updated", ref, message });
      show(message);
    },

    openStream: async () => null,

    async upload(_thread, files, marker, signal) {
      const saved: SavedFile[] = [];
      for (const file of files) {
        saved.push(await saveFile(transcript, folder, file, signal));
        if (savePreviews) await savePreview(transcript, folder, file, saved.at(-1)?.name ?? file.filename, signal);
      }
      const ref = nextRef();
      await transcript.append({ type: "uploaded", ref, marker, fileIds: files.map((file) => file.id) });
      view.files(saved, folder);
      return ref;
    },

    async find(_thread, marker, signal) {
      signal.throwIfAborted();
      for (const entry of transcript.entries) {
        if ((entry.type === "posted" || entry.type === "uploaded") && entry.marker === marker) return entry.ref;
      }
      return null;
    },

    async acknowledge(_thread, _messageId, how, signal) {
      signal.throwIfAborted();
      if (how === "queued") view.queued();
    },
  };
}

async function savePreview(
  transcript: Transcript,
  folder: string,
  file: ChatFile,
  savedAs: string,
  signal: AbortSignal,
): Promise<void> {
  const png = await file.preview(signal);
  if (!png) return;
  const picture: ChatFile = {
    id: `${file.id}.preview`,
    filename: `${path.basename(savedAs)}.png`,
    mimeType: "image/png",
    sizeBytes: png.byteLength,
    content: async () => new Blob([png.slice()]).stream(),
    preview: async () => null,
    link: async () => null,
  };
  await saveFile(transcript, folder, picture, signal);
}
