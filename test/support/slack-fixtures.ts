import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/slack");
const Payload = z.record(z.string(), z.unknown());

/**
 * What Slack sends, by its file's name: `app-mention-thread`. Made from Slack's documentation with invented ids and words;
 * none was recorded. Events are whole callbacks; commands and interactions are their form's fields and its `payload`.
 */
export function slackFixture(name: string): Record<string, unknown> {
  return Payload.parse(JSON.parse(readFileSync(path.join(FOLDER, `${name}.json`), "utf8")));
}
