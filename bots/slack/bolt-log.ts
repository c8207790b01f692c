import { type Logger as BoltLogger, LogLevel } from "@slack/bolt";
import type { Logger } from "../../src/log.ts";

const LINE_CHARS_MAX = 500;

/**
 * Bolt's log lines in ours. Its debug lines hold whole payloads, with what people wrote, so they are left out; and it never
 * learns a level at which it would make them.
 */
export function createBoltLog(log: Logger): BoltLogger {
  const line = (parts: unknown[]) => ({ bolt: parts.map(asText).join(" ").slice(0, LINE_CHARS_MAX) });
  return {
    debug: () => {},
    info: (...parts: unknown[]) => log.debug(line(parts), "bolt"),
    warn: (...parts: unknown[]) => log.warn(line(parts), "bolt"),
    error: (...parts: unknown[]) => log.error(line(parts), "bolt"),
    setLevel: () => {},
    getLevel: () => LogLevel.INFO,
    setName: () => {},
  };
}

/** The message alone of an error: the SDK's errors also hold requests, with their headers. */
function asText(part: unknown): string {
  if (part instanceof Error) return part.message;
  return typeof part === "string" ? part : (JSON.stringify(part) ?? "");
}
