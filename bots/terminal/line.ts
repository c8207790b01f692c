import { COMMAND_NAMES } from "../shared/commands.ts";
import { nearest } from "../shared/nearest.ts";

/** What a line typed in the terminal asks for. */
export type TerminalLine =
  | { type: "empty" }
  | { type: "quit" }
  | { type: "help" }
  | { type: "attach"; path: string }
  | { type: "unknown"; name: string; nearest: string | null }
  /** For the thread: a message, or a command that every surface knows. */
  | { type: "message"; text: string };

export const TERMINAL_HELP = `Write what you need and press Enter. While the agent works, what you write is taken up at its next step.

- \`/attach FILE\` sends a file along with your next message
- \`/stop\` ends what the agent is doing; so does Ctrl-C
- \`/status\` says how far it is
- \`/new\` starts afresh, with nothing remembered
- \`/approve\` lets the agent go on when it asks; \`/deny REASON\` does not
- \`/quit\` leaves; \`deckhand chat --thread ID\` comes back to this thread`;

const SLASH = /^\/([a-z][a-z-]*)(?:\s+(.*))?$/is;
const LOCAL_NAMES = ["attach", "quit", "exit"] as const;

/** Pure. */
export function parseLine(line: string): TerminalLine {
  const text = line.trim();
  if (text === "") return { type: "empty" };
  if (/^help[.!?]*$/i.test(text)) return { type: "help" };
  const [, word, rest = ""] = SLASH.exec(text) ?? [];
  const name = word?.toLowerCase();
  if (name === undefined) return { type: "message", text };
  if (name === "quit" || name === "exit") return { type: "quit" };
  if (name === "help") return { type: "help" };
  if (name === "attach") return { type: "attach", path: unquote(rest.trim()) };
  if (COMMAND_NAMES.some((known) => known === name)) return { type: "message", text };
  return { type: "unknown", name, nearest: nearest(name, [...COMMAND_NAMES, ...LOCAL_NAMES]) };
}

/** A path dropped on a terminal comes in quotes or with escaped spaces. */
function unquote(path: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(path)?.[2];
  return quoted ?? path.replaceAll(/\\(.)/g, "$1");
}
