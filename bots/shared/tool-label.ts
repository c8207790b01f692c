const LABEL_CHARS_MAX = 72;

/** What a tool call does, in one short line: `bash: python3 clean.py`. Input is the model's own, so anything may be missing. */
export function toolLabel(name: string, input: Record<string, unknown>): string {
  const subject = subjectOf(name, input);
  return subject === "" ? name : shorten(`${name}: ${subject}`, LABEL_CHARS_MAX);
}

/** The first sentence, on one line, without Markdown marks and without a tag such as `[scripted]` in front. */
export function firstSentence(markdown: string, charsMax: number): string {
  const untagged = markdown.replace(/^\s*\[[^\]\n]*\]\s*(?!\()/, "");
  const line = untagged.split("\n").find((candidate) => candidate.trim() !== "") ?? "";
  const plain = line
    .replace(/^\s*(?:[#>]+|[-*]|\d+[.)])\s+/, "")
    .replaceAll(/[*_`]{1,3}(\S(?:.*?\S)?)[*_`]{1,3}/g, "$1");
  const sentence = /^.*?[.!?](?=\s|$)/.exec(plain)?.[0] ?? plain;
  return shorten(sentence.replace(/[.:]$/, "").trim(), charsMax);
}

function subjectOf(name: string, input: Record<string, unknown>): string {
  switch (name) {
    case "bash":
      return input["restart"] === true ? "restart" : command(text(input["command"]));
    case "read":
    case "write":
    case "edit":
      return baseName(text(input["file_path"]));
    case "glob":
    case "grep":
      return text(input["pattern"]);
    default:
      return "";
  }
}

/** The first line that does something: a heredoc's program is in what follows it, and `cd` says nothing. */
function command(script: string): string {
  const lines = script.split("\n").map((line) => line.trim());
  const line = lines.find((candidate) => candidate !== "" && !/^(?:#|set |cd [^&;|]*$)/.test(candidate)) ?? "";
  return line.replace(/^cd [^&;|]*&&\s*/, "").replace(/\s*<<-?\s*['"]?\w+['"]?.*$/, "");
}

function baseName(path: string): string {
  return path.split("/").at(-1) ?? "";
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function shorten(line: string, charsMax: number): string {
  const single = line.replaceAll(/\s+/g, " ");
  const chars = [...single];
  return chars.length <= charsMax
    ? single
    : `${chars
        .slice(0, charsMax - 1)
        .join("")
        .trimEnd()}…`;
}
