import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Config } from "../config.ts";
import { newApiKey, type Workspaces } from "../workspaces/workspaces.ts";

/** Where the key of an installation that was not given one is kept. */
export const apiKeyFile = (home: string) => path.join(home, "api-key");

/**
 * The key the operator uses: `DECKHAND_API_KEY`, else one that is generated once and kept in the home, readable by its
 * owner only. It is good for the default workspace.
 */
export async function ensureOperatorKey(config: Config, workspaces: Workspaces): Promise<string> {
  const key = config.apiKey ?? (await keyFromFile(config.home));
  await workspaces.ensureApiKey(await workspaces.ensureDefault(), key);
  return key;
}

async function keyFromFile(home: string): Promise<string> {
  const file = apiKeyFile(home);
  await mkdir(home, { recursive: true });
  try {
    await writeFile(file, `${newApiKey()}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return (await readFile(file, "utf8")).trim();
}
