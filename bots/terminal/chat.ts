import { createInterface } from "node:readline";
import path from "node:path";
import { messageOf } from "../../src/errors.ts";
import { apiErrorText } from "../shared/api-errors.ts";
import type { WordsMessage } from "../shared/chat-surface.ts";
import { formatBytes, notice } from "../shared/render.ts";
import { parseLine, TERMINAL_HELP } from "./line.ts";
import { findLocalFile } from "./local-file.ts";
import type { TerminalThread } from "./terminal-thread.ts";

export interface ChatLoop {
  thread: TerminalThread;
  cwd: string;
  show(message: WordsMessage): void;
}

/** Reacts to the lines of one terminal. */
export interface LineHandler {
  /** Resolves when the line is dealt with; true when it asks to leave. Never rejects. */
  line(text: string): Promise<boolean>;
}

export function createLineHandler({ thread, cwd, show }: ChatLoop): LineHandler {
  let attached: string[] = [];

  const attach = async (given: string) => {
    if (given === "") throw new Error("Say which file: `/attach FILE`.");
    const file = await findLocalFile(given, cwd);
    attached.push(file.path);
    show(notice("info", `${path.basename(file.path)} (${formatBytes(file.sizeBytes)}) goes with your next message.`));
  };

  const say = async (text: string) => {
    const files = attached;
    attached = [];
    try {
      await thread.say(text, files);
    } catch (error) {
      attached = files;
      throw error;
    }
  };

  const handle = async (text: string): Promise<boolean> => {
    const line = parseLine(text);
    switch (line.type) {
      case "quit":
        return true;
      case "help":
        show(notice("info", TERMINAL_HELP));
        return false;
      case "attach":
        await attach(line.path);
        return false;
      case "unknown":
        show(notice("warning", unknownText(line.name, line.nearest)));
        return false;
      case "message":
        await say(line.text);
        return false;
      case "empty":
        return false;
    }
  };

  return {
    async line(text) {
      try {
        return await handle(text);
      } catch (error) {
        show(notice("error", apiErrorText(error) ?? messageOf(error)));
        return false;
      }
    },
  };
}

/**
 * Reads lines from a pipe: each is a message. Resolves at the end of input, when everything is delivered; false when that
 * failed, which the thread has been told.
 */
export async function chatFromPipe(
  input: NodeJS.ReadableStream,
  handler: LineHandler,
  thread: TerminalThread,
): Promise<boolean> {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (await handler.line(line)) break;
  }
  return thread.delivered();
}

function unknownText(name: string, nearest: string | null): string {
  const hint = nearest === null ? "" : ` Did you mean \`/${nearest}\`?`;
  return `There is no command \`/${name}\`.${hint} \`/help\` lists what there is.`;
}
