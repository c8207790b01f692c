/** The line that a person types on, below everything else. */
export interface Prompt {
  /** How many rows above the cursor the prompt begins. */
  rowsAboveCursor(): number;
  /** Draws prompt and input anew, from `rowsAboveCursor` rows above the cursor. */
  draw(): void;
}

/** A terminal with lasting lines, below them live ones that are redrawn in place, and below these a prompt. */
export interface Screen {
  /** Adds lasting lines above the live ones. */
  print(lines: string[]): void;
  /** Replaces the live lines. None of them may be wider than the terminal. */
  live(lines: string[]): void;
  setPrompt(prompt: Prompt | null): void;
  /** The person pressed Enter: the input of `rows` rows is taken off the screen. */
  clearInput(rows: number): void;
}

const BEGIN = "\u001B[?2026h\r";
const END = "\u001B[?2026l";
const CLEAR_BELOW = "\u001B[J";
const CLEAR_RIGHT = "\u001B[K";
const SAVE = "\u001B7";
const RESTORE = "\u001B8";
const ROWS_KEPT_FREE = 4;

export function createScreen(stream: { write(text: string): unknown; rows?: number }): Screen {
  let shown: string[] = [];
  let prompt: Prompt | null = null;

  const fitting = (lines: string[]) => lines.slice(-Math.max(1, (stream.rows ?? 24) - ROWS_KEPT_FREE));

  /** `rowsUp` leads from the cursor to the first live line. */
  const redraw = (rowsUp: number, lasting: string[], live: string[]) => {
    const inputRows = prompt?.rowsAboveCursor() ?? 0;
    const text = [...lasting, ...live].map((line) => `${line}\n`).join("");
    stream.write(`${BEGIN}${up(rowsUp)}${CLEAR_BELOW}${text}${"\n".repeat(inputRows)}`);
    shown = live;
    prompt?.draw();
    stream.write(END);
  };
  const rowsToTop = () => shown.length + (prompt?.rowsAboveCursor() ?? 0);

  return {
    print: (lines) => redraw(rowsToTop(), lines, shown),

    live(wanted) {
      const lines = fitting(wanted);
      if (lines.length !== shown.length) return redraw(rowsToTop(), [], lines);
      if (lines.every((line, index) => line === shown[index])) return;
      // The prompt stays untouched, so that typing is not disturbed.
      const text = lines.map((line) => `${line}${CLEAR_RIGHT}`).join("\r\n");
      stream.write(`${SAVE}${BEGIN}${up(rowsToTop())}${text}${END}${RESTORE}`);
      shown = lines;
    },

    setPrompt(next) {
      prompt = next;
      prompt?.draw();
    },

    clearInput: (rows) => redraw(shown.length + rows, [], shown),
  };
}

function up(rows: number): string {
  return rows > 0 ? `\u001B[${rows}A` : "";
}
