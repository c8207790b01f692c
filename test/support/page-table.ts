/** The cells of the first table under a heading of a Markdown page, without its header. It may stand in a list. */
export function rowsOf(page: string, heading: string): string[][] {
  const section = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 1);
  const table = /^ *\|.*\n *\|[ |-]+\|\n((?: *\|.*\n)+)/m.exec(section)?.[1] ?? "";
  return table
    .trim()
    .split("\n")
    .map((line) =>
      line
        .trim()
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}
