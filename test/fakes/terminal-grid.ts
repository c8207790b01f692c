/** Enough of a terminal to see what a person would see: text, cursor moves up, clearing, saved positions, scrolling. */
export function createTerminalGrid(columns: number, rows: number) {
  let lines: string[] = [""];
  let row = 0;
  let column = 0;
  let kept = { row: 0, column: 0 };
  const SEQUENCE = /\u001B\[(\?)?(\d*)([A-Za-z])|\u001B([78])|([\s\S])/gu;

  const put = (char: string) => {
    if (column === columns) {
      newLine();
      column = 0;
    }
    const line = (lines[row] ?? "").padEnd(column);
    lines[row] = line.slice(0, column) + char + line.slice(column + 1);
    column += 1;
  };
  const newLine = () => {
    row += 1;
    lines[row] ??= "";
  };
  /** Nothing above the window can be reached. */
  const top = () => Math.max(0, lines.length - rows);

  const clearBelow = () => {
    lines = lines.slice(0, row + 1);
    lines[row] = (lines[row] ?? "").slice(0, column);
  };
  const control = (amount: string, letter: string) => {
    if (letter === "A") row = Math.max(top(), row - Number(amount || 1));
    if (letter === "J") clearBelow();
    if (letter === "K") lines[row] = (lines[row] ?? "").slice(0, column);
  };

  return {
    columns,
    rows,
    write(text: string) {
      for (const [, isPrivate, amount = "", letter, save, char] of text.matchAll(SEQUENCE)) {
        if (letter !== undefined) {
          if (!isPrivate) control(amount, letter);
        } else if (save === "7") kept = { row, column };
        else if (save === "8") ({ row, column } = kept);
        else if (char === "\r") column = 0;
        else if (char === "\n") {
          newLine();
          column = 0;
        } else if (char !== undefined) put(char);
      }
      return true;
    },
    /** Everything that was written and not taken back, with what scrolled away. */
    shown: () => lines.join("\n").trimEnd(),
  };
}
