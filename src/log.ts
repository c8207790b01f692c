import { pino, type Logger } from "pino";

export type { Logger } from "pino";

const REDACTED_PATHS = [
  "*.api_key",
  "*.apiKey",
  "*.authorization",
  "*.password",
  "*.token",
  "*.headers.authorization",
  '*.headers["x-api-key"]',
];

/**
 * JSON lines on stderr, so that stdout stays free for a command's own output.
 * Message strings are constants; what varies goes into fields. Prompts and tool output are never logged above `debug`.
 */
export function createLog(level: string): Logger {
  return pino({ level, redact: { paths: REDACTED_PATHS, censor: "[redacted]" }, base: null }, pino.destination(2));
}
