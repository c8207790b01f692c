import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { newMasterKey } from "../secrets/master-key.ts";
import { masterKeyFiles, openMasterKey } from "./master-key.ts";

/**
 * Gives a home a new key, and keeps the one it had, and those before, for what they still encrypt. Killed at any moment, it
 * leaves either the old or the new key in place, and no key is lost. One at a time.
 */
export async function replaceMasterKey(home: string): Promise<void> {
  const { current, previous } = await openMasterKey({ masterKey: null, masterKeysPrevious: [], home });
  const files = masterKeyFiles(home);
  const kept = new Set([current, ...previous].map((key) => key.reveal()));
  await replaceFile(files.previous, `${[...kept].join("\n")}\n`);
  await replaceFile(files.current, `${newMasterKey()}\n`);
}

/** On disk when it returns, also should the machine lose its power then. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  const directory = await open(path.dirname(file));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
