import path from "node:path";
import type { Config } from "../config.ts";
import { newApiKey, type Workspaces } from "../workspaces/workspaces.ts";
import { writeOnce } from "./write-once.ts";

/** Where the key of an installation that was not given one is kept. */
export const apiKeyFile = (home: string) => path.join(home, "api-key");

/**
 * The key the operator uses: `DECKHAND_API_KEY`, else one that is generated once and kept in the home, readable by its
 * owner only. It is good for the default workspace.
 */
export async function ensureOperatorKey(config: Config, workspaces: Workspaces): Promise<string> {
  const key = config.apiKey ?? (await writeOnce(apiKeyFile(config.home), newApiKey, 0o600));
  await workspaces.ensureApiKey(await workspaces.ensureDefault(), key);
  return key;
}
