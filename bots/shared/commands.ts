import { parseDecision } from "./decision-words.ts";
import { nearest } from "./nearest.ts";

export type ChatCommand =
  | { type: "stop" }
  | { type: "status" }
  | { type: "new" }
  | { type: "help" }
  /** Words for the agent, which go to the session as a message would. Empty when none were given. */
  | { type: "steer"; text: string }
  /**
   * The next session runs this agent. `agent` is an id or a name, empty when none was given. `sentence` is the message where
   * it was said in words, which may be about something else; null where it was certainly meant as a command.
   */
  | { type: "use"; agent: string; sentence: string | null }
  | { type: "agents" }
  | { type: "usage" }
  | { type: "approve" }
  | { type: "deny"; reason: string | null }
  /** Begins with a slash and is none of ours. `nearest` is what was probably meant. */
  | { type: "unknown"; name: string; nearest: CommandName | null };

export const COMMAND_NAMES = [
  "stop",
  "status",
  "steer",
  "new",
  "use",
  "agents",
  "usage",
  "approve",
  "deny",
  "help",
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

export interface ParseContext {
  /** The thread's session waits for an approval, so that "yes, go ahead" is meant for it. */
  approvalOpen: boolean;
}

/** Words around a command that change nothing: `ok, please stop now!`. */
const BEFORE = /^(?:(?:ok(?:ay)?|hey|hi|please|pls|no|wait|deckhand)[\s,.!-]+)+/i;
const AFTER = /[\s,]+(?:please|pls|now|thanks|thank you)$/i;
const PHRASES: [RegExp, ChatCommand][] = [
  [
    /^(?:(?:stop|halt|abort|cancel)(?: (?:it|that|this|everything|all|working|right there|the run|the task))?|🛑)$/iu,
    { type: "stop" },
  ],
  [/^(?:status|how far are you|what(?:'s| is) the status)$/i, { type: "status" }],
  [/^(?:new|new (?:session|thread|conversation)|start (?:over|afresh)|reset)$/i, { type: "new" }],
  [/^(?:agents|(?:list|show)(?: me)?(?: the| all)? agents|(?:which|what) agents are there)$/i, { type: "agents" }],
  [/^(?:usage|(?:my|our) usage|show(?: me)?(?: my| our| the)? usage)$/i, { type: "usage" }],
  [/^help$/i, { type: "help" }],
];
/** Without the word `agent` it is about something in the work: "use blue instead". */
const USE = /^(?:use|switch to) (?:(?:the )?agent (?<named>.+)|the (?<called>.+) agent)$/i;
const STEER = /^steer:\s*(?<words>\S.*)$/is;
const USE_NAME_WORDS_MAX = 3;
/** A slash and one word; `/mnt/data is full` is a message. */
const SLASH = /^\/(?<name>[a-z][a-z-]*)(?:\s+(?<rest>.*))?$/is;
/** Whatever takes no words of its own is a message when it is as long as a sentence. */
const COMMAND_WORDS_MAX = 7;
/** Nobody gives a reason as long as this; and looking for an ending takes time that grows with the square of it. */
const WORDS_CHARS_MAX = 2_000;

/**
 * Pure: the command that a message in a thread is, in any of its natural forms; null when it is a message for the agent.
 * Only the whole message counts: "stop using red in the chart" is for the agent.
 */
export function parseCommand(text: string, context: ParseContext = { approvalOpen: false }): ChatCommand | null {
  const line = text.trim();
  const command = parseSlashed(line) ?? parseWords(line, context);
  if (!command || command.type === "steer" || command.type === "deny") return command;
  return line.split(/\s+/).length > COMMAND_WORDS_MAX ? null : command;
}

/** As `parseCommand`, but asks whether an approval is open only of words that would be a decision then. */
export async function readCommand(text: string, isApprovalOpen: () => Promise<boolean>): Promise<ChatCommand | null> {
  const command = parseCommand(text);
  const decision = command ? null : parseCommand(text, { approvalOpen: true });
  return decision && (await isApprovalOpen()) ? decision : command;
}

/**
 * Pure: what is written behind the app's own slash command, where there is no thread and so no message for the agent. The
 * first word names the command; a natural form of one will do as well. Nothing at all asks for help.
 */
export function parseSlash(text: string): ChatCommand {
  const line = text.trim().replace(/^\//, "");
  if (line === "") return { type: "help" };
  const [word = "", ...rest] = line.split(/\s+/);
  const named = commandOf(word, line.slice(word.length).trim());
  if (named.type !== "unknown") return named;
  return parseWords([word, ...rest].join(" "), { approvalOpen: false }) ?? named;
}

function parseSlashed(line: string): ChatCommand | null {
  const { name, rest } = SLASH.exec(line)?.groups ?? {};
  return name === undefined ? null : commandOf(name, (rest ?? "").trim());
}

function commandOf(word: string, rest: string): ChatCommand {
  const typed = word.toLowerCase().replace(/[.!?:]+$/, "");
  const name = COMMAND_NAMES.find((known) => known === typed);
  switch (name) {
    case undefined:
      return { type: "unknown", name: typed, nearest: nearest(typed, COMMAND_NAMES) };
    case "steer":
      return { type: "steer", text: rest };
    case "use":
      return { type: "use", agent: agentName(rest), sentence: null };
    case "deny":
      return { type: "deny", reason: rest === "" ? null : rest };
    case "stop":
    case "status":
    case "new":
    case "agents":
    case "usage":
    case "approve":
    case "help":
      return { type: name };
  }
}

function parseWords(line: string, { approvalOpen }: ParseContext): ChatCommand | null {
  const words = STEER.exec(line)?.groups?.["words"];
  if (words !== undefined) return { type: "steer", text: words };
  if (line.length > WORDS_CHARS_MAX) return null;
  const decision = approvalOpen ? parseDecision(line) : null;
  if (decision) return decision;
  const bare = line
    .replace(/[.!?…\s]+$/u, "")
    .replace(BEFORE, "")
    .replace(AFTER, "");
  const phrase = PHRASES.find(([pattern]) => pattern.test(bare));
  return phrase?.[1] ?? parseUse(bare, line);
}

function parseUse(bare: string, sentence: string): ChatCommand | null {
  const { named, called } = USE.exec(bare)?.groups ?? {};
  const agent = named ?? called;
  if (agent === undefined || agent.split(/\s+/).length > USE_NAME_WORDS_MAX) return null;
  return { type: "use", agent: agentName(agent), sentence };
}

/** `agent "Reports"`, as people write it: `Reports`. */
function agentName(words: string): string {
  return words
    .replace(/^(?:the )?agent\s+/i, "")
    .replace(/^["'`“‘](.*)["'`”’]$/su, "$1")
    .trim();
}
