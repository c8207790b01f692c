import { z } from "zod";
import type { ChatThreadKey } from "../shared/chat-thread.ts";
import type { Activity, InboundAttachment } from "./activity.ts";
import { kindOf } from "./conversation-ref.ts";

/** Where a file of a message is to be had. */
const TeamsFile = z.discriminatedUnion("type", [
  /** In a personal chat: the address opens the file for anybody who has it, and does so for a few minutes. */
  z.object({ type: z.literal("download"), url: z.url() }),
  /** A picture in the text, at the Bot Connector: given to the bot's own token, if its origin is that of the `serviceUrl`. */
  z.object({ type: z.literal("inline"), url: z.url() }),
  /** In channels and group chats: Graph has the message, and in it this attachment. */
  z.object({ type: z.literal("graph"), messageId: z.string(), attachmentId: z.string() }),
]);
export type TeamsFile = z.infer<typeof TeamsFile>;

export interface FoundFile {
  filename: string;
  file: TeamsFile;
}

/** Keeps an address that opens a file unreadable while it waits in the database. */
export interface AttachmentCipher {
  encrypt(plaintext: Uint8Array, context: string): Promise<Uint8Array<ArrayBuffer>>;
  decrypt(ciphertext: Uint8Array, context: string): Promise<Uint8Array>;
}

const DOWNLOAD_INFO = "application/vnd.microsoft.teams.file.download.info";
/** Graph knows the name; the activity does not. */
const UNNAMED = "attachment";
const DownloadInfo = z.looseObject({ downloadUrl: z.url() });
const STUB = /<attachment\b[^<>]*\bid="(?<id>[^"<>]+)"/gi;

/** Pure: the files of a message. */
export function filesIn(activity: Activity): FoundFile[] {
  const found = (activity.attachments ?? []).flatMap((attachment) => fileIn(attachment));
  if (kindOf(activity) === "personal" || !activity.id) return found;
  const { id: messageId } = activity;
  const html = (activity.attachments ?? []).filter(({ contentType }) => contentType === "text/html");
  const ids = html.flatMap(({ content }) =>
    typeof content === "string" ? [...content.matchAll(STUB)].map(({ groups }) => groups?.["id"] ?? "") : [],
  );
  const stubs = [...new Set(ids)].map((attachmentId): FoundFile => ({
    filename: UNNAMED,
    file: { type: "graph", messageId, attachmentId },
  }));
  return [...found, ...stubs];
}

/** For `AttachmentRef.ref`: what says where the file is, readable only with the key and for this thread. */
export async function sealFile(cipher: AttachmentCipher, thread: ChatThreadKey, file: TeamsFile): Promise<string> {
  return Buffer.from(await cipher.encrypt(Buffer.from(JSON.stringify(file)), contextOf(thread))).toString("base64url");
}

/** Undoes `sealFile`. @throws SecretUnreadableError, ZodError or SyntaxError when it was not made by it */
export async function unsealFile(cipher: AttachmentCipher, thread: ChatThreadKey, ref: string): Promise<TeamsFile> {
  const plain = await cipher.decrypt(Buffer.from(ref, "base64url"), contextOf(thread));
  return TeamsFile.parse(JSON.parse(Buffer.from(plain).toString()));
}

function fileIn({ contentType, contentUrl, content, name }: InboundAttachment): FoundFile[] {
  if (contentType === DOWNLOAD_INFO) {
    const url = DownloadInfo.safeParse(content).data?.downloadUrl;
    return url === undefined ? [] : [{ filename: name || UNNAMED, file: { type: "download", url } }];
  }
  if (!contentType.startsWith("image/") || !contentUrl || !URL.canParse(contentUrl)) return [];
  const [, subtype = "*"] = contentType.split("/");
  // Teams says `image/*` of any picture that stands in the text.
  const filename = name || (subtype === "*" ? "image.png" : `image.${subtype}`);
  return [{ filename, file: { type: "inline", url: contentUrl } }];
}

function contextOf(thread: ChatThreadKey): string {
  return `chat_inbound/${thread}/attachment`;
}
