import type { ModelContent, ModelMessage, ModelRequest } from "../model-provider.ts";
import type { CallResult, ToolCall } from "./script.ts";

export interface Exchange {
  calls: ToolCall[];
  results: CallResult[];
}

/** The conversation as a script sees it: the request it works on, and what has been done about it. */
export interface Run {
  /** The message that started the work. */
  task: string;
  /** All that the user has said in this conversation, oldest first, `task` and what came after it included. */
  messages: string[];
  /** What the user said since the last answer, other than `task`. */
  news: string[];
  exchanges: Exchange[];
  /** Paths below the uploads folder that the conversation names. */
  uploads: string[];
  /** Whether some work was finished in this conversation before. */
  followsUp: boolean;
  tools: string[];
}

const UPLOAD_PATH = /\/mnt\/session\/uploads\/[^\n"'`<>|]*\.[A-Za-z0-9]{1,5}/g;
/** What a chat adds below the person's words, besides the list of files. */
const CHAT_BLOCKS = /\s*<(missing_files|author|thread_context)>\n[\s\S]*?\n<\/\1>/g;
/** How the harness shows that the user stopped the work: what is said after it is a new request. */
const STOPPED = /^\[The user stopped the work/;
const SANDBOX_LOST = /^The sandbox was lost/;

/** Reads a run out of a model request. Pure. */
export function readRun(request: ModelRequest): Run {
  const run: Run = {
    task: "",
    messages: [],
    news: [],
    exchanges: [],
    uploads: [],
    followsUp: false,
    tools: request.tools.map((tool) => tool.name),
  };
  let finished = true;
  for (const message of request.messages) {
    if (message.role === "assistant") {
      const calls = callsOf(message);
      run.news = [];
      run.exchanges.push({ calls, results: [] });
      if (calls.length === 0) finished = true;
      continue;
    }
    finished = takeUserMessage(run, message.content, finished);
  }
  run.exchanges = sinceSandboxLost(run.exchanges).filter(({ calls }) => calls.length > 0);
  run.uploads = [...new Set([request.system ?? "", ...run.messages].flatMap((text) => text.match(UPLOAD_PATH) ?? []))];
  return run;
}

type UserContent = Extract<ModelMessage, { role: "user" }>["content"];

/** Returns whether the work is finished, in which case the next words of the user start something new. */
function takeUserMessage(run: Run, content: UserContent, finished: boolean): boolean {
  for (const block of content) {
    if (block.type === "tool_result") {
      run.exchanges.at(-1)?.results.push({ text: textOf(block.content), isError: block.isError });
    } else if (block.type === "text" && STOPPED.test(block.text)) {
      finished = true;
    } else if (block.type === "text" && block.text.trim() !== "") {
      const words = block.text.replace(CHAT_BLOCKS, "");
      run.messages.push(words);
      if (finished) startOver(run, words);
      else run.news.push(words);
      finished = false;
    }
  }
  return finished;
}

function startOver(run: Run, task: string): void {
  run.followsUp = run.exchanges.length > 0;
  run.task = task;
  run.news = [];
  run.exchanges = [];
}

/** Work done in a sandbox that is gone has to be done again. */
function sinceSandboxLost(exchanges: Exchange[]): Exchange[] {
  const lost = exchanges.findLastIndex(({ results }) => results.some(({ text }) => SANDBOX_LOST.test(text)));
  return exchanges.slice(lost + 1);
}

function callsOf(message: Extract<ModelMessage, { role: "assistant" }>): ToolCall[] {
  return message.content.flatMap((block) =>
    block.type === "tool_use" ? [{ name: block.name, input: asRecord(block.input) }] : [],
  );
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textOf(content: ModelContent[]): string {
  return content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}
