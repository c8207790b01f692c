import { createHmac, hkdfSync } from "node:crypto";
import type { Secret } from "../secrets/secret.ts";

const PREFIX = "deckhand_placeholder_";

/**
 * What a sandbox sees where a secret would be. It is the same each time for a session and a credential, and no other
 * session has it, so that nothing has to be stored and one that leaks is of no use elsewhere.
 */
export type PlaceholderOf = (sessionId: string, credentialId: string) => string;

/**
 * Another master key makes other placeholders. A sandbox that runs while the key is replaced keeps those of the old one until
 * its next turn, so the gateway has to swap these as well.
 * @param masterKey 32 bytes in base64, of which the key for placeholders is derived
 */
export function createPlaceholders(masterKey: Secret): PlaceholderOf {
  const key = Buffer.from(
    hkdfSync("sha256", Buffer.from(masterKey.reveal(), "base64"), "deckhand", "placeholders", 32),
  );
  return (sessionId, credentialId) =>
    PREFIX + createHmac("sha256", key).update(`${sessionId}/${credentialId}`).digest("hex").slice(0, 40);
}
