import { createInterface, type Interface } from "node:readline";
import { notice } from "../shared/render.ts";
import type { LineHandler } from "./chat.ts";
import type { Prompt, Screen } from "./screen.ts";
import type { Style } from "./style.ts";
import type { TerminalThread } from "./terminal-thread.ts";
import { textWidth } from "./text-width.ts";
import type { ClosableView } from "./views.ts";

export interface InteractiveOptions {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  screen: Screen;
  view: ClosableView;
  thread: TerminalThread;
  handler: LineHandler;
  style: Style;
  /** Ends the conversation from outside. */
  signal: AbortSignal;
}

const PROMPT = "› ";
const SECOND_PRESS_MS = 3_000;

/** Talks with a person until they leave. */
export async function chatInteractively(options: InteractiveOptions): Promise<void> {
  const { input, output, screen, view, thread, handler, style, signal } = options;
  const lines = createInterface({ input, output, prompt: style.accent(PROMPT), historySize: 200 });
  const left = Promise.withResolvers<void>();
  const leave = () => left.resolve();
  signal.addEventListener("abort", leave, { once: true });
  // One after the other, so that messages are sent in the order in which they were typed.
  let last: Promise<void> = Promise.resolve();

  lines.on("line", (text) => {
    screen.clearInput(rowsOf(text, output.columns) + 1);
    if (text.trim() !== "") view.said(text, []);
    last = last.then(async () => {
      if (await handler.line(text)) leave();
    });
  });
  lines.on("SIGINT", onInterrupt(thread, handler, view, leave));
  lines.on("close", leave);
  const onResize = () => screen.print([]);
  output.on("resize", onResize);
  screen.setPrompt(promptOf(lines));
  try {
    await left.promise;
  } finally {
    output.off("resize", onResize);
    signal.removeEventListener("abort", leave);
    view.close();
    screen.setPrompt(null);
    lines.close();
    output.write("\r\u001B[J");
  }
}

/** The first Ctrl-C stops the turn, a second one soon after it leaves. */
function onInterrupt(thread: TerminalThread, handler: LineHandler, view: ClosableView, leave: () => void): () => void {
  let pressedAt = Number.NEGATIVE_INFINITY;
  return () => {
    const again = performance.now() - pressedAt < SECOND_PRESS_MS;
    pressedAt = performance.now();
    if (again) return leave();
    if (!thread.busy()) return view.message(notice("info", "Press Ctrl-C again to leave."));
    view.message(notice("info", "Stopping. Press Ctrl-C again to leave."));
    void handler.line("/stop");
  };
}

function promptOf(lines: Interface): Prompt {
  return { rowsAboveCursor: () => lines.getCursorPos().rows, draw: () => lines.prompt(true) };
}

/** Rows that the prompt and what was typed took, less the one the cursor ends on. */
function rowsOf(text: string, columns: number): number {
  return Math.floor((PROMPT.length + textWidth(text)) / Math.max(1, columns));
}
