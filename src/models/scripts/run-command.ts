import type { Script } from "./script.ts";

const COMMAND = /^\s*run:\s*(\S[\s\S]*)$/i;
/** What a chat surface adds below the person's words. */
const ATTACHED = /\s*<attached_files>[\s\S]*<\/attached_files>\s*$/;
const REPORTED_CHARS_MAX = 4_000;

/** "run: COMMAND" calls bash with that command and reports its output. For trying an installation. */
export const runCommand: Script = {
  name: "run-command",
  fits: (run) => COMMAND.test(run.task),
  *play(run) {
    const command = COMMAND.exec(run.task.replace(ATTACHED, ""))?.[1]?.trim() ?? "";
    const [result] = yield { say: "I run that command.", calls: [{ name: "bash", input: { command } }], once: true };
    const output = result?.text.trim() ?? "";
    const shown = output.length > REPORTED_CHARS_MAX ? `${output.slice(0, REPORTED_CHARS_MAX)}\n…` : output;
    const verdict = result?.isError ? "The command failed" : "The command ran";
    return shown === "" ? `${verdict} and printed nothing.` : `${verdict}:\n\n\`\`\`\n${shown}\n\`\`\``;
  },
  acknowledge: () => "Noted, but I only run the one command.",
};
