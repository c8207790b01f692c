import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/teams");
const Activity = z.record(z.string(), z.unknown());

/**
 * What Teams sends, by its file's name: `message-channel-mention`. Made from Microsoft's documentation with invented ids and
 * words; none was recorded.
 */
export function teamsFixture(name: string): Record<string, unknown> {
  return Activity.parse(JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), "utf8")));
}
