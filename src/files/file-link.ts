import { createHmac, timingSafeEqual } from "node:crypto";
import type { Secret } from "../secrets/secret.ts";

/** What a link opens, and until when. */
export interface FileLink {
  workspaceId: string;
  fileId: string;
  /** Whole seconds. */
  expiresAt: Date;
}

export const LINK_KEY_CHARS_MIN = 32;

/** Begins whatever is signed, so that a signature made for another purpose opens no file. */
const PURPOSE = "deckhand file link 1\n";

/** The text that opens a file to whoever has it: what it opens, then an HMAC-SHA256 over that. Fits into a URL. Pure. */
export function signFileLink({ workspaceId, fileId, expiresAt }: FileLink, key: Secret): string {
  const claims = [workspaceId, fileId, Math.floor(expiresAt.getTime() / 1000)];
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${payload}.${signatureOf(payload, key)}`;
}

/**
 * What a token opens; null for one that was not signed with this key. Whether its time is over is left to the caller. The
 * time that it takes tells nothing of the right signature. Pure.
 */
export function readFileLink(token: string, key: Secret): FileLink | null {
  const [payload = "", given = "", ...more] = token.split(".");
  const expected = Buffer.from(signatureOf(payload, key));
  const signature = Buffer.from(given);
  if (more.length > 0 || signature.length !== expected.length || !timingSafeEqual(signature, expected)) return null;
  return parseClaims(Buffer.from(payload, "base64url").toString());
}

function signatureOf(payload: string, key: Secret): string {
  return createHmac("sha256", key.reveal()).update(PURPOSE).update(payload).digest("base64url");
}

/** Only of what we signed. */
function parseClaims(text: string): FileLink {
  const [workspaceId, fileId, expiresAtSeconds] = JSON.parse(text) as [string, string, number];
  return { workspaceId, fileId, expiresAt: new Date(expiresAtSeconds * 1000) };
}
