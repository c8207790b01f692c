import type { Script } from "./script.ts";

const ABILITIES = `I am a fixed script that stands in for a language model, because none is configured. I can do two things:
- Attach a table (CSV, TSV or XLSX) and ask for a workbook and a deck: I clean it, analyse it and build both, in a real sandbox.
- Send "run: COMMAND" and I run that command in the sandbox and report what it prints.

To work with a real model, set ANTHROPIC_API_KEY and start again.`;

/** For every request that no other script fits. */
export const introduction: Script = {
  name: "introduction",
  fits: () => true,
  // A generator without a yield: there is nothing to do before answering.
  // oxlint-disable-next-line require-yield
  *play() {
    return ABILITIES;
  },
  acknowledge: () => "Noted.",
};
