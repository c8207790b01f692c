/** Opens the list of files; nothing a person writes is taken for it, as it is read by the agent alone. */
const FILES_OPEN = "<attached_files>";
const FILES_CLOSE = "</attached_files>";

/** Pure: what the agent is told, the person's own words first and the paths of the files that came with them below. */
export function userMessageText(text: string, paths: string[]): string {
  if (paths.length === 0) return text;
  return [text, `${FILES_OPEN}\n${paths.join("\n")}\n${FILES_CLOSE}`].filter((part) => part.trim() !== "").join("\n\n");
}

/** Pure: whether this is what `userMessageText` makes of these words, with whatever files. */
export function isMessageWith(words: string, message: string): boolean {
  return message === words || message.startsWith(words.trim() === "" ? FILES_OPEN : `${words}\n\n${FILES_OPEN}\n`);
}
