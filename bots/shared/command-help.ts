import type { CommandName } from "./commands.ts";
import { codeSpan } from "./plain-words.ts";

/** What each command does, one line each, in the order in which they are shown. */
const LINES: readonly [CommandName, string][] = [
  ["stop", "`stop` ends what I am doing"],
  ["status", "`status` says how far I am"],
  ["steer", "`steer <text>` tells me something while I work"],
  ["new", "`new` starts afresh, with nothing remembered"],
  ["approve", "`approve` lets me go on when I ask; `deny <reason>` does not"],
  ["agents", "`agents` lists who can do the work"],
  ["use", "`use agent <name>` gives the thread to another agent"],
  ["usage", "`usage` says what this month has cost"],
  ["help", "`help` shows this"],
];

/** Pure: the help of a thread. What a thread's surface can't do is left out. */
export function threadHelp(without: readonly CommandName[] = []): string {
  return [
    "Write what you need, and attach the files it is about. While I work, anything you write is taken up at my next step.",
    "",
    ...lines([...without, "steer"]),
  ].join("\n");
}

/** Pure: the help of the slash command, which has no thread and so finds one of the caller's. */
export function slashHelp(): string {
  return [
    "Mention me in a message to give me work; I answer in its thread. From here:",
    "",
    ...lines(["approve"]).map((line) => line.replace("`use agent <name>`", "`use <agent>`")),
  ].join("\n");
}

/** Pure. */
export function unknownCommandText(name: string, nearest: string | null, slash: string): string {
  const hint = nearest === null ? "" : ` Did you mean \`${nearest}\`?`;
  return `There is no command ${codeSpan(`${slash}${name}`)}.${hint}`;
}

function lines(without: readonly CommandName[]): string[] {
  return LINES.filter(([name]) => !without.includes(name)).map(([, line]) => `- ${line}`);
}
