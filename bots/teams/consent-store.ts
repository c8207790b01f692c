import { z } from "zod";
import type { Database } from "../../src/database.ts";
import { SecretUnreadableError } from "../../src/secrets/secret-cipher.ts";
import { freeName } from "../shared/attachments.ts";
import type { UploadInfo } from "./activity.ts";
import { chatThreadKey, parseChatThreadKey, type ChatThreadKey } from "../shared/chat-thread.ts";

/** A file that a person is asked to take into their OneDrive. */
export interface Consent {
  id: string;
  thread: ChatThreadKey;
  fileId: string;
  /** As it is offered: unlike any other name in its thread. */
  filename: string;
  sizeBytes: number;
  /** The message that asks; null until it is known to be posted. */
  activityId: string | null;
}

/** Where to put an accepted file. */
export interface ConsentUpload {
  /** Lets anybody write who has it. Null once the file is there. */
  uploadUrl: string | null;
  contentUrl: string;
  name: string;
  uniqueId: string;
  fileType: string;
}

export interface AnsweredConsent extends Consent {
  /** Null when it was declined, and when what came with the answer can't be read. */
  upload: ConsentUpload | null;
  answer: "accepted" | "declined";
  /** Attempts before this one. Also tells this claim from every other one. */
  attempts: number;
}

/** Files that were offered in one-to-one chats, and what people answered. A method that resolved is durable. */
export interface ConsentStore {
  /** Idempotent: the first call counts. */
  offer(consent: Pick<Consent, "id" | "thread" | "fileId" | "filename" | "sizeBytes">): Promise<Consent>;
  posted(id: string, activityId: string): Promise<void>;
  /** The first answer counts; false when there was one, or nothing was asked in this thread. */
  answer(
    id: string,
    thread: ChatThreadKey,
    answer: AnsweredConsent["answer"],
    upload: UploadInfo | null,
  ): Promise<boolean>;
  /** The oldest answer that was not dealt with, claimed for `ttlMs`; null when there is none that may be claimed now. */
  claimNext(ttlMs: number): Promise<AnsweredConsent | null>;
  /** Holds a claim longer. False when another has claimed it. */
  renew(claim: ConsentClaim): Promise<boolean>;
  /** The file is there: what let write it is forgotten. */
  uploaded(claim: ConsentClaim, upload: ConsentUpload): Promise<void>;
  /** Dealt with. */
  settle(id: string): Promise<void>;
  /** Gives a claim back, for another attempt in `delayMs` at the earliest. */
  postpone(claim: ConsentClaim, ttlMs: number, delayMs: number): Promise<void>;
}

export type ConsentClaim = Pick<AnsweredConsent, "id" | "attempts">;

/** Keeps upload addresses unreadable in the database. `context` is bound to what is encrypted. */
export interface ConsentCipher {
  encrypt(plaintext: Uint8Array, context: string): Promise<Uint8Array<ArrayBuffer>>;
  decrypt(ciphertext: Uint8Array, context: string): Promise<Uint8Array>;
}

const Upload = z.object({
  uploadUrl: z.string().nullable(),
  contentUrl: z.string(),
  name: z.string(),
  uniqueId: z.string(),
  fileType: z.string(),
});

interface Row {
  id: string;
  chat_thread_key: string;
  file_id: string;
  filename: string;
  size_bytes: bigint;
  activity_id: string | null;
  answer: string;
  upload: Uint8Array | null;
  attempts: number;
}

export function createConsentStore({ prisma }: Pick<Database, "prisma">, cipher: ConsentCipher): ConsentStore {
  const sealed = async (id: string, upload: ConsentUpload | null) =>
    upload && (await cipher.encrypt(Buffer.from(JSON.stringify(upload)), contextOf(id)));
  const unsealed = async (id: string, bytes: Uint8Array | null): Promise<ConsentUpload | null> => {
    if (bytes === null) return null;
    try {
      return Upload.parse(JSON.parse(Buffer.from(await cipher.decrypt(bytes, contextOf(id))).toString()));
    } catch (error) {
      // Made with another key: as if nothing had come with the answer.
      if (error instanceof SecretUnreadableError) return null;
      throw error;
    }
  };

  return {
    async offer({ id, thread, fileId, filename, sizeBytes }) {
      const known = await prisma.teamsConsent.findUnique({ where: { id } });
      if (!known) {
        const others = await prisma.teamsConsent.findMany({
          where: { chatThreadKey: thread },
          select: { filename: true },
        });
        const taken = new Set(others.map((other) => other.filename.toLowerCase()));
        const name = freeName(filename, (name) => taken.has(name.toLowerCase()));
        const data = { id, chatThreadKey: thread, fileId, filename: name, sizeBytes: BigInt(sizeBytes) };
        await prisma.teamsConsent.createMany({ data: [data], skipDuplicates: true });
      }
      const row = known ?? (await prisma.teamsConsent.findUniqueOrThrow({ where: { id } }));
      const { activityId } = row;
      return { id, thread, fileId, filename: row.filename, sizeBytes: Number(row.sizeBytes), activityId };
    },

    async posted(id, activityId) {
      await prisma.teamsConsent.update({ where: { id }, data: { activityId } });
    },

    async answer(id, thread, answer, upload) {
      const data = { answer, upload: await sealed(id, upload && uploadOf(upload)) };
      const { count } = await prisma.teamsConsent.updateMany({
        where: { id, chatThreadKey: thread, answer: null },
        data,
      });
      return count === 1;
    },

    async claimNext(ttlMs) {
      const [row] = await prisma.$queryRaw<Row[]>`
        UPDATE teams_consents AS c SET claimed_at = now(), attempts = c.attempts + 1
        FROM (
          SELECT id FROM teams_consents
          WHERE answer IS NOT NULL AND settled_at IS NULL
            AND (claimed_at IS NULL OR claimed_at < now() - ${ttlMs} * interval '1 ms')
          ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
        ) AS next
        WHERE c.id = next.id RETURNING c.*`;
      if (!row) return null;
      return {
        id: row.id,
        thread: chatThreadKey(parseChatThreadKey(row.chat_thread_key)),
        fileId: row.file_id,
        filename: row.filename,
        sizeBytes: Number(row.size_bytes),
        activityId: row.activity_id,
        answer: row.answer === "accepted" ? "accepted" : "declined",
        upload: await unsealed(row.id, row.upload),
        attempts: row.attempts - 1,
      };
    },

    async renew({ id, attempts }) {
      const count = await prisma.$executeRaw`
        UPDATE teams_consents SET claimed_at = now()
        WHERE id = ${id} AND attempts = ${attempts + 1} AND settled_at IS NULL`;
      return count === 1;
    },

    async uploaded({ id, attempts }, upload) {
      await prisma.teamsConsent.updateMany({
        where: { id, attempts: attempts + 1 },
        data: { upload: await sealed(id, { ...upload, uploadUrl: null }) },
      });
    },

    async settle(id) {
      await prisma.teamsConsent.updateMany({ where: { id }, data: { settledAt: new Date(), upload: null } });
    },

    async postpone({ id, attempts }, ttlMs, delayMs) {
      await prisma.$executeRaw`
        UPDATE teams_consents SET claimed_at = now() + ${delayMs - ttlMs} * interval '1 ms'
        WHERE id = ${id} AND attempts = ${attempts + 1} AND settled_at IS NULL`;
    },
  };
}

/** Without an address to open it by, a file that was saved could not be shown. */
function uploadOf({ uploadUrl, contentUrl, name, uniqueId, fileType }: UploadInfo): ConsentUpload | null {
  if (!contentUrl || !name) return null;
  return { uploadUrl, contentUrl, name, uniqueId: uniqueId ?? "", fileType: fileType ?? "" };
}

function contextOf(id: string): string {
  return `teams_consents/${id}/upload`;
}
