import type { StatusCard } from "../shared/chat-surface.ts";
import { endedLine, fileLines, type Layout, messageLines, runningLines, saidLines, stepLine } from "./lines.ts";
import type { Screen } from "./screen.ts";
import { createStyle } from "./style.ts";
import type { TerminalView } from "./surface.ts";

export interface ClosableView extends TerminalView {
  /** Takes what is live off the screen. */
  close(): void;
}

const TICK_MS = 120;
const CELLS_MAX = 100;
const CELLS_DEFAULT = 80;
const QUEUED = "Noted. It is taken up at the next step.";

/** What a stream can show: long lines are hard to read, however wide the window. */
export function layoutFor(stream: NodeJS.WriteStream): Layout {
  const colours = stream.isTTY && stream.hasColors();
  return { style: createStyle(colours), cells: Math.min(CELLS_MAX, (stream.columns ?? CELLS_DEFAULT) - 1) };
}

/** The view for a stream: live when there is a screen for it. */
export function viewFor(stream: NodeJS.WriteStream, screen: Screen | null, cwd: string): ClosableView {
  if (screen) return createLiveView(screen, () => layoutFor(stream), cwd);
  return createPlainView((text) => stream.write(text), layoutFor(stream), cwd);
}

/** On a terminal: one status that is redrawn in place while the turn runs, and a single line of it afterwards. */
export function createLiveView(screen: Screen, layout: () => Layout, cwd: string): ClosableView {
  let card: StatusCard | null = null;
  let ticking: NodeJS.Timeout | null = null;
  const draw = () => screen.live(card ? ["", ...runningLines(card, Date.now(), layout()), ""] : []);
  const stopTicking = () => {
    if (ticking) clearInterval(ticking);
    ticking = null;
  };

  return {
    said: (text, attachments) => screen.print(["", ...saidLines(text, attachments, layout())]),
    message: (message) => screen.print(messageLines(message, layout())),
    files: (files, folder) => screen.print(["", ...fileLines(files, folder, cwd, layout())]),
    queued: () => screen.print([layout().style.dim(`  ${QUEUED}`)]),
    status(next) {
      if (next.endedAt === null) {
        card = next;
        ticking ??= setInterval(draw, TICK_MS);
        draw();
        return;
      }
      stopTicking();
      card = null;
      draw();
      screen.print(["", endedLine(next, layout())]);
    },
    close() {
      stopTicking();
      card = null;
      draw();
    },
  };
}

/** Where output can't be redrawn, such as a file or a pipe: each step is told once. */
export function createPlainView(write: (text: string) => unknown, layout: Layout, cwd: string): ClosableView {
  const print = (lines: string[]) => write(lines.map((line) => `${line}\n`).join(""));
  let told = 0;
  let note: string | null = null;
  return {
    said: (text, attachments) => print(saidLines(text, attachments, layout)),
    message: (message) => print(messageLines(message, layout)),
    files: (files, folder) => print(["", ...fileLines(files, folder, cwd, layout)]),
    queued: () => print([`  ${QUEUED}`]),
    status(card) {
      // At the end the answer is there already, and steps told after it would be out of order.
      if (card.endedAt === null || card.state === "waiting")
        print(card.steps.slice(told).map((step) => stepLine(step)));
      told = card.steps.length;
      if (card.note !== null && card.note !== note) print([`  ${card.note}`]);
      note = card.note;
      if (card.endedAt === null) return;
      print(["", endedLine(card, layout)]);
      // One that waits goes on from here.
      if (card.state !== "waiting") told = 0;
    },
    close: () => undefined,
  };
}
