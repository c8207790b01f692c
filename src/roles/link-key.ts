import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Config } from "../config.ts";
import { LINK_KEY_CHARS_MIN } from "../files/file-link.ts";
import { Secret } from "../secrets/secret.ts";
import { writeOnce } from "./write-once.ts";

const KEY_BYTES = 32;

/**
 * What links to files are signed with: `DECKHAND_LINK_KEY`, else a key that is generated once and kept in the home,
 * readable by its owner only. API processes without a common home must be given the same one.
 * @throws Error that names the file when what it holds is too short for a key
 */
export async function openLinkKey({ linkKey, home }: Pick<Config, "linkKey" | "home">): Promise<Secret> {
  if (linkKey !== null) return linkKey;
  const file = path.join(home, "link-key");
  const text = await writeOnce(file, () => randomBytes(KEY_BYTES).toString("base64url"), 0o600);
  if (text.length >= LINK_KEY_CHARS_MIN) return new Secret(text);
  throw new Error(`${file} holds less than ${LINK_KEY_CHARS_MIN} characters. Delete it to get a new key.`);
}
