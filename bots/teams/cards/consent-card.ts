import type { FileLink } from "../../shared/chat-surface.ts";
import { fileKind } from "../../shared/file-kind.ts";
import { formatBytes } from "../../shared/render.ts";
import type { OutboundActivity } from "../teams-connector.ts";
import { oneLine } from "./activity-size.ts";
import type { TeamsAttachment } from "./adaptive-card.ts";
import { filesActivity } from "./files-card.ts";

export interface ConsentCardFile {
  /** Comes back when the person has answered. */
  consentId: string;
  filename: string;
  sizeBytes: number;
}

const CONSENT = "application/vnd.microsoft.teams.card.file.consent";
const INFO = "application/vnd.microsoft.teams.card.file.info";
const NAME_CHARS_MAX = 200;

/** Pure: asks whether the file may be put into the person's OneDrive. Only in personal chats. */
export function consentActivity({ consentId, filename, sizeBytes }: ConsentCardFile): OutboundActivity {
  const context = { consent_id: consentId };
  const description = `${fileKind(filename, "")}, ${formatBytes(sizeBytes)}. Allow to save it to your OneDrive.`;
  const card = {
    contentType: CONSENT,
    name: filename,
    content: { description, sizeInBytes: sizeBytes, acceptContext: context, declineContext: context },
  };
  return { type: "message", summary: oneLine(filename, NAME_CHARS_MAX), attachments: [card] };
}

/** A file in OneDrive or SharePoint, as Teams shows it: with its icon, and opened by a click. */
export interface StoredFile {
  name: string;
  /** Where it is, without a credential. */
  url: string;
  uniqueId: string;
  /** The extension. */
  fileType: string;
}

/** Pure. */
export function fileInfoCard({ name, url, uniqueId, fileType }: StoredFile): TeamsAttachment {
  return { contentType: INFO, contentUrl: url, name, content: { uniqueId, fileType } };
}

/** Pure: takes the place of the consent card once the file is there. */
export function storedActivity(file: StoredFile): OutboundActivity {
  return { type: "message", summary: oneLine(file.name, NAME_CHARS_MAX), attachments: [fileInfoCard(file)] };
}

/** Pure: takes the place of the consent card of a file that is not put into OneDrive. */
export function unsavedActivity(
  { filename, sizeBytes }: Pick<ConsentCardFile, "filename" | "sizeBytes">,
  link: FileLink | null,
  why: string,
  now: number,
): OutboundActivity {
  const note = link === null ? `${why} Whoever runs Deckhand can get at it through the API.` : why;
  return filesActivity([{ file: { filename, mimeType: "", sizeBytes }, preview: null, link, note }], [], now);
}
