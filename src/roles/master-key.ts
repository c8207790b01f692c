import path from "node:path";
import type { Config } from "../config.ts";
import { isMasterKey, newMasterKey } from "../secrets/master-key.ts";
import { Secret } from "../secrets/secret.ts";
import { writeOnce } from "./write-once.ts";

/**
 * What the installation's secrets are encrypted with: `DECKHAND_MASTER_KEY`, else a key that is generated once and kept in
 * the home, readable by its owner only. For `createLocalCipher`.
 * @throws Error that names the file when what it holds is no key
 */
export async function openMasterKey({ masterKey, home }: Pick<Config, "masterKey" | "home">): Promise<Secret> {
  if (masterKey !== null) return masterKey;
  const file = path.join(home, "master-key");
  const text = await writeOnce(file, newMasterKey, 0o600);
  if (isMasterKey(text)) return new Secret(text);
  throw new Error(
    `${file} holds no key of 32 bytes in base64. Put back the copy of it, or set DECKHAND_MASTER_KEY. ` +
      "With a new key, no secret in the database can be read any more.",
  );
}
