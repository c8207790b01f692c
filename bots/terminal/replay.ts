import path from "node:path";
import { approvalWords } from "./approval-words.ts";
import type { TerminalView } from "./surface.ts";
import type { Transcript } from "./transcript.ts";

const ENTRIES_SHOWN_MAX = 40;

/** Shows the end of what was said in a thread before, so that a person who comes back knows where they are. */
export function replay({ entries }: Transcript, view: TerminalView): void {
  for (const entry of entries.slice(-ENTRIES_SHOWN_MAX)) {
    if (entry.type === "said") {
      view.said(entry.text, entry.attachments);
    } else if (entry.type === "posted" || entry.type === "updated") {
      if (entry.message.type === "approval") view.message(approvalWords(entry.message.card));
      else if (entry.message.type !== "status") view.message(entry.message);
      else if (entry.message.card.endedAt !== null) view.status(entry.message.card);
    } else if (entry.type === "uploaded") {
      const saved = entries.flatMap((other) =>
        other.type === "saved" && entry.fileIds.includes(other.fileId)
          ? [{ name: path.basename(other.path), path: other.path, bytes: other.bytes }]
          : [],
      );
      const first = saved[0];
      if (first) view.files(saved, path.dirname(first.path));
    }
  }
}
