import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Config } from "../config.ts";
import { errorCode } from "../embedded/file-errors.ts";
import { isMasterKey, newMasterKey } from "../secrets/master-key.ts";
import { Secret } from "../secrets/secret.ts";
import { writeOnce } from "./write-once.ts";

export interface MasterKeys {
  /** What secrets are encrypted with. */
  current: Secret;
  /** What they may still be encrypted with, or already are by a process that was told of its next key. Latest first. */
  previous: readonly Secret[];
}

export type MasterKeySettings = Pick<Config, "masterKey" | "masterKeysPrevious" | "home">;

/** Where the keys of a home are that has none in its environment. */
export const masterKeyFiles = (home: string) => ({
  current: path.join(home, "master-key"),
  /** A key a line. */
  previous: path.join(home, "master-key.previous"),
});

/**
 * What the installation's secrets are encrypted with: `DECKHAND_MASTER_KEY`, else a key that is generated once and kept in
 * the home, readable by its owner only.
 * @throws Error that names the file when what it holds is no key
 */
export async function openMasterKey({ masterKey, masterKeysPrevious, home }: MasterKeySettings): Promise<MasterKeys> {
  if (masterKey !== null) return { current: masterKey, previous: masterKeysPrevious };
  const files = masterKeyFiles(home);
  // In this order: a rotation moves the current key there before it replaces it.
  const current = await writeOnce(files.current, newMasterKey, 0o600);
  const previous = (await textOf(files.previous)).split("\n").filter((line) => line !== "");
  return {
    current: keyIn(files.current, current),
    previous: [...previous.map((text) => keyIn(files.previous, text)), ...masterKeysPrevious],
  };
}

function keyIn(file: string, text: string): Secret {
  if (isMasterKey(text)) return new Secret(text);
  throw new Error(
    `${file} holds no key of 32 bytes in base64. Put back the copy of it, or set DECKHAND_MASTER_KEY. ` +
      "With a new key, no secret in the database can be read any more.",
  );
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
